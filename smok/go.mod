module github.com/fieldlink-go/fieldlink/smok

go 1.26.0

require github.com/fieldlink-go/fieldlink/errkit v0.1.0
