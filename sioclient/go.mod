module github.com/fieldlink-go/fieldlink/sioclient

go 1.26.0

require (
	github.com/fieldlink-go/fieldlink/errkit v0.1.0
	github.com/fieldlink-go/fieldlink/internal v0.1.0
	github.com/fieldlink-go/fieldlink/wsclient v0.1.0
	github.com/google/go-cmp v0.7.0
)

require github.com/coder/websocket v1.8.15 // indirect
