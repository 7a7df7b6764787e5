module github.com/fieldlink-go/fieldlink/smok

go 1.26.0

require (
	github.com/fieldlink-go/fieldlink/errkit v0.1.0
	github.com/fieldlink-go/fieldlink/internal v0.1.0
	github.com/fieldlink-go/fieldlink/ngtt v0.1.0
	github.com/fieldlink-go/fieldlink/wsclient v0.1.0
	github.com/go-resty/resty/v2 v2.17.2
	github.com/google/go-cmp v0.7.0
	go.etcd.io/bbolt v1.4.3
)

require (
	golang.org/x/net v0.43.0 // indirect
	golang.org/x/sys v0.35.0 // indirect
)
