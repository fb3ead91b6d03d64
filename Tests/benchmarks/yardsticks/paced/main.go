// Sends prepared requests at a steady rate, whatever the answers take, until its standard input ends; then prints how
// long they took. A request that had to wait for its connection counts from the moment it was due.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

type lane struct {
	micros []int64
	wrong  int
	first  string
}

func (l *lane) fail(what string) {
	if l.wrong++; l.first == "" {
		l.first = what
	}
}

// One connection's requests, each `every` after the one before.
func (l *lane) send(address string, requests []string, number, step int, every time.Duration, stop <-chan struct{}) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		l.fail(err.Error())
		return
	}
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, 1<<18)
	due := time.Now().Add(every * time.Duration(number) / time.Duration(step))
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Until(due)):
		}
		began := time.Now()
		if began.Sub(due) > every {
			began = due
		}
		io.WriteString(connection, requests[number%len(requests)])
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			l.fail(err.Error())
			return
		}
		_, err = io.Copy(io.Discard, answer.Body)
		if err != nil || answer.StatusCode != 200 {
			l.fail(fmt.Sprint(answer.Status, " ", err))
		}
		l.micros = append(l.micros, time.Since(began).Microseconds())
		number += step
		due = due.Add(every)
	}
}

func main() {
	port := flag.Int("port", 0, "the server's port")
	file := flag.String("requests", "", "one a line, tabs for the line ends")
	connections := flag.Int("connections", 16, "connections")
	rate := flag.Float64("rate", 200, "requests a second, of all connections")
	flag.Parse()
	text, err := os.ReadFile(*file)
	if err != nil {
		log.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	for number, line := range lines {
		lines[number] = strings.ReplaceAll(line, "\t", "\r\n")
	}
	stop := make(chan struct{})
	lanes := make([]lane, *connections)
	var group sync.WaitGroup
	every := time.Duration(float64(*connections) / *rate * float64(time.Second))
	for number := range lanes {
		group.Add(1)
		go func(number int) {
			defer group.Done()
			lanes[number].send(fmt.Sprintf("127.0.0.1:%d", *port), lines, number, *connections, every, stop)
		}(number)
	}
	io.Copy(io.Discard, os.Stdin)
	close(stop)
	group.Wait()
	report(lanes)
}

func report(lanes []lane) {
	var all []int64
	wrong, first := 0, ""
	for _, l := range lanes {
		all = append(all, l.micros...)
		wrong += l.wrong
		if first == "" {
			first = l.first
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	at := func(share float64) int64 {
		if len(all) == 0 {
			return 0
		}
		return all[int(share*float64(len(all)-1))]
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"count": len(all), "wrong": wrong, "first_wrong": first,
		"p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1),
	})
}
