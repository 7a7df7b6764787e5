module github.com/fieldlink-go/fieldlink/smok

go 1.26.0

require (
	github.com/fieldlink-go/fieldlink/errkit v0.1.0
	github.com/fieldlink-go/fieldlink/internal v0.1.0
	github.com/fieldlink-go/fieldlink/ngtt v0.1.0
	github.com/fieldlink-go/fieldlink/wsclient v0.1.0
	github.com/google/go-cmp v0.7.0
)
