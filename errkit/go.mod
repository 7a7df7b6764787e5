module github.com/fieldlink-go/fieldlink/errkit

go 1.26.0
