package smok_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// lifeEnv names the variable that makes the test binary one life of a gateway, told in it.
const lifeEnv = "SMOK_TEST_LIFE"

// life says what a life of a gateway is like. Its directory has the store, the credentials and the effects of orders.
type life struct {
	Dir     string
	URL     string
	NGTT    string    // address of the order link; empty means that it polls for orders
	Began   time.Time // the time of value 0
	First   int64     // number of the first value
	Writers int       // 0: it only brings out what there is, until its input ends
}

// Names in the directory of a life.
const (
	certFile    = "cert.pem"
	keyFile     = "key.pem"
	rootsFile   = "roots.pem"
	effectsFile = "effects"
	storeDir    = "device"
)

// runChild runs the part of a test that is a process of its own. It reports whether this is one.
func runChild() bool {
	text := os.Getenv(lifeEnv)
	if text == "" {
		return false
	}
	var l life
	err := json.Unmarshal([]byte(text), &l)
	if err == nil {
		err = l.live()
	}
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	return true
}

// say tells the test what has happened, in one line and one write.
func say(words ...any) { fmt.Println(words...) }

func (l *life) live() error {
	plant, err := openActuator(filepath.Join(l.Dir, effectsFile))
	if err != nil {
		return err
	}
	d, err := l.device()
	if err != nil {
		return err
	}
	for i := range 3 {
		if _, err := d.Register(fmt.Sprintf("d%d", 10+i), smok.Trend, &smok.PathpointOptions{Write: plant.write}); err != nil {
			return err
		}
	}
	ctx := context.Background()
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	say("ready")
	var next atomic.Int64
	next.Store(l.First)
	errs := make(chan error, l.Writers)
	for i := range l.Writers {
		go func() { errs <- l.archive(ctx, d, i, &next) }()
	}
	if l.Writers > 0 {
		return <-errs // they end with the process
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	for s := d.Status().Sections; s.Queued+s.Active > 0; s = d.Status().Sections {
		<-time.After(time.Millisecond)
	}
	err = d.Shutdown(ctx)
	if run := <-ended; !errors.Is(run, smok.ErrClosed) { // if there was so little to do that it had not begun
		err = errors.Join(err, run)
	}
	return err
}

// device makes the device of a life.
func (l *life) device() (*smok.Device, error) {
	credentials, err := ngtt.LoadCredentials(filepath.Join(l.Dir, certFile), filepath.Join(l.Dir, keyFile))
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(filepath.Join(l.Dir, rootsFile))
	if err != nil {
		return nil, err
	}
	opts := smok.Options{
		BaseURL: l.URL, Auth: smok.AuthMTLS, RootCAs: x509.NewCertPool(),
		Intervals: smok.Intervals{Values: 5 * time.Millisecond, Orders: 10 * time.Millisecond, Checkpoint: 50 * time.Millisecond},
	}
	opts.RootCAs.AppendCertsFromPEM(pem)
	disk := diskstore.Options{OnReport: func(r store.Report) {
		if r.Kind != spool.Torn { // nobody was told that it was accepted
			say("report", r)
		}
	}}
	if l.NGTT == "" {
		disk.FlushInterval = time.Second // the end of a process takes nothing of what was written
	} else {
		opts.NGTT = &ngtt.Options{Addr: l.NGTT}
	}
	if opts.Store, err = diskstore.Open(filepath.Join(l.Dir, storeDir), &disk); err != nil {
		return nil, err
	}
	return smok.New(credentials, &opts)
}

// archive takes values until the process ends, and raises and closes events. It tells of each when the device has it.
func (l *life) archive(ctx context.Context, d *smok.Device, writer int, next *atomic.Int64) error {
	p, err := d.Register(fmt.Sprintf("d%d", writer), smok.StorageLevel(writer%2), nil)
	if err != nil {
		return err
	}
	for round := 0; ; round++ {
		<-time.After(rand.N(4 * time.Millisecond))
		n := next.Add(1)
		if err := p.Set(ctx, l.Began.Add(time.Duration(n)*time.Millisecond), n); err != nil {
			current, _ := p.Get()
			return fmt.Errorf("value %d after %v: %w", n, current.Value, err)
		}
		say("value", writer, n)
		if writer > 0 || round%2 > 0 {
			continue
		}
		e, err := d.OpenEvent(ctx, smok.Event{Message: fmt.Sprint(n)})
		if err != nil {
			return err
		}
		say("event", n)
		if round%4 > 0 {
			continue
		}
		if _, err := d.CloseEvent(ctx, e.Provisional); err != nil {
			return err
		}
		say("closed", n)
	}
}

// actuator is what orders have their effect on. Like a plant that cannot do a thing twice it keeps the identity of each
// order that it has followed, together with the effect.
type actuator struct {
	mu   sync.Mutex
	file *os.File
	done map[string]bool // by the identity of the order
}

func openActuator(name string) (*actuator, error) {
	m := &actuator{done: make(map[string]bool)}
	var err error
	if m.file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	for scan := bufio.NewScanner(m.file); scan.Scan(); {
		m.done[strings.Fields(scan.Text())[1]] = true
	}
	return m, nil
}

// write follows an order. The end of the process may come before the effect, or between that and the return.
func (m *actuator) write(ctx context.Context, v any, _ smok.Advise) error {
	<-time.After(rand.N(4 * time.Millisecond))
	m.mu.Lock()
	id := smok.OrderID(ctx)
	word := "did"
	if m.done[id] {
		word = "again"
	}
	m.done[id] = true
	_, err := fmt.Fprintln(m.file, word, id, v)
	m.mu.Unlock()
	<-time.After(rand.N(8 * time.Millisecond))
	return err
}
