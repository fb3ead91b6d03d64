// Receives webhooks on many ports, of which the last `--hang` read and never answer. Every delivery is known by its port
// and `webhook-id`; of every sixteenth the signature is checked. The first line of standard output names the ports; the
// control port gives the count at /count and all there is to know at /report, and forgets it at /reset.
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"time"
)

var createdAt = []byte(`"created_at":"`)

// One port.
type receiver struct {
	sync.Mutex
	hangs   bool
	secret  []byte
	times   map[string]int
	micros  []int64
	arrived []int64
	checked int
	wrong   int
	first   string
}

func (r *receiver) forget() {
	r.Lock()
	defer r.Unlock()
	r.times, r.micros, r.arrived, r.checked, r.wrong, r.first = map[string]int{}, nil, nil, 0, 0, ""
}

func (r *receiver) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	now := time.Now()
	r.take(request, body, err, now)
	if r.hangs {
		<-request.Context().Done()
		return
	}
	io.WriteString(answer, `{"received":true}`)
}

func (r *receiver) take(request *http.Request, body []byte, err error, now time.Time) {
	r.Lock()
	defer r.Unlock()
	id := request.Header.Get("webhook-id")
	start := bytes.Index(body, createdAt)
	if err != nil || start < 0 || id == "" || !bytes.Contains(body, []byte(id)) {
		r.fail(fmt.Sprintf("not a delivery: %v %q %q", err, request.Header, body))
		return
	}
	created, _, _ := bytes.Cut(body[start+len(createdAt):], []byte(`"`))
	since, err := time.Parse(time.RFC3339Nano, string(created))
	if err != nil {
		r.fail(err.Error())
		return
	}
	if len(r.times)%16 == 0 {
		r.checked++
		if !r.signed(request, id, body) {
			r.fail(fmt.Sprintf("wrongly signed: %q %q", request.Header, body))
		}
	}
	r.times[id]++
	r.micros = append(r.micros, now.Sub(since).Microseconds())
	r.arrived = append(r.arrived, now.UnixMicro())
}

func (r *receiver) fail(what string) {
	if r.wrong++; r.first == "" {
		r.first = what
	}
}

func (r *receiver) signed(request *http.Request, id string, body []byte) bool {
	code := hmac.New(sha256.New, r.secret)
	fmt.Fprintf(code, "%s.%s.", id, request.Header.Get("webhook-timestamp"))
	code.Write(body)
	return request.Header.Get("webhook-signature") == "v1,"+base64.StdEncoding.EncodeToString(code.Sum(nil))
}

// What some of the ports have received.
func report(receivers []*receiver) map[string]any {
	var micros, arrived []int64
	received, distinct, most, checked, wrong, first := 0, 0, 0, 0, 0, ""
	for _, r := range receivers {
		r.Lock()
		micros, arrived = append(micros, r.micros...), append(arrived, r.arrived...)
		for _, times := range r.times {
			if times > most {
				most = times
			}
		}
		received, distinct, checked, wrong = received+len(r.micros), distinct+len(r.times), checked+r.checked, wrong+r.wrong
		if first == "" {
			first = r.first
		}
		r.Unlock()
	}
	for _, list := range [][]int64{micros, arrived} {
		sort.Slice(list, func(i, j int) bool { return list[i] < list[j] })
	}
	at := func(list []int64, share float64) int64 {
		if len(list) == 0 {
			return 0
		}
		return list[int(share*float64(len(list)-1))]
	}
	return map[string]any{
		"received": received, "distinct": distinct, "most": most, "checked": checked, "wrong": wrong, "first_wrong": first,
		"p50": at(micros, 0.5), "p95": at(micros, 0.95), "p99": at(micros, 0.99), "max": at(micros, 1),
		"from": at(arrived, 0), "to": at(arrived, 1),
	}
}

func listen() (net.Listener, int) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener, listener.Addr().(*net.TCPAddr).Port
}

func main() {
	count := flag.Int("ports", 1, "how many ports")
	hang := flag.Int("hang", 0, "how many of them never answer")
	secret := flag.String("secret", "", "whsec_ and base64")
	flag.Parse()
	debug.SetGCPercent(400)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(*secret, "whsec_"))
	if err != nil {
		log.Fatal(err)
	}
	receivers, ports := make([]*receiver, *count), make([]int, *count)
	for number := range receivers {
		r := &receiver{hangs: number >= *count-*hang, secret: key}
		r.forget()
		listener, port := listen()
		receivers[number], ports[number] = r, port
		go http.Serve(listener, r)
	}
	healthy := receivers[:*count-*hang]
	control := http.NewServeMux()
	answer := func(path string, value func() any) {
		control.HandleFunc(path, func(out http.ResponseWriter, _ *http.Request) { json.NewEncoder(out).Encode(value()) })
	}
	answer("/count", func() any {
		distinct := 0
		for _, r := range healthy {
			r.Lock()
			distinct += len(r.times)
			r.Unlock()
		}
		return distinct
	})
	answer("/report", func() any {
		return map[string]any{"healthy": report(healthy), "hanging": report(receivers[*count-*hang:])}
	})
	answer("/reset", func() any {
		for _, r := range receivers {
			r.forget()
		}
		return nil
	})
	listener, port := listen()
	json.NewEncoder(os.Stdout).Encode(map[string]any{"control": port, "ports": ports})
	log.Fatal(http.Serve(listener, control))
}
