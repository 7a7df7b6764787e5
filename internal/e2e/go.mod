module github.com/fieldlink-go/fieldlink/internal/e2e

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/fieldlink-go/fieldlink/errkit v0.1.0
	github.com/fieldlink-go/fieldlink/internal v0.1.0
	github.com/fieldlink-go/fieldlink/ngtt v0.1.0
	github.com/fieldlink-go/fieldlink/pikvm v0.1.0
	github.com/fieldlink-go/fieldlink/sioclient v0.1.0
	github.com/fieldlink-go/fieldlink/smok v0.1.0
	github.com/fieldlink-go/fieldlink/wsclient v0.1.0
	github.com/google/go-cmp v0.7.0
	github.com/googollee/go-socket.io v1.7.0
	github.com/gorilla/websocket v1.5.3
	github.com/lxzan/gws v1.8.9
	github.com/vmihailenco/msgpack/v5 v5.4.1
	go.etcd.io/bbolt v1.4.3
	golang.org/x/tools v0.52.0
)

require (
	github.com/dolthub/maphash v0.1.0 // indirect
	github.com/go-resty/resty/v2 v2.17.2 // indirect
	github.com/gofrs/uuid v4.0.0+incompatible // indirect
	github.com/gomodule/redigo v1.8.4 // indirect
	github.com/klauspost/compress v1.17.9 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/net v0.61.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
