package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// resident is the memory that the server holds now and at its highest, in MiB
// (Linux's /proc/PID/status).
func (d *door) resident() (now, highest int) {
	d.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.process.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	kib := func(field string) int {
		found := regexp.MustCompile(field + `:\s+(\d+) kB`).FindSubmatch(status)
		if found == nil {
			d.t.Fatalf("no %s in %s", field, status)
		}
		n, _ := strconv.Atoi(string(found[1])) // digits
		return n >> 10
	}
	return kib("VmRSS"), kib("VmHWM")
}

// partner asks as the demo wallet, or with another secret, and gives the status and
// how long it took.
func (d *door) partner(secret string) (status int, took time.Duration) {
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.url+"/partner/osmp?command=check&txn_id=1&account=1234567894", http.NoBody)
	if err != nil {
		d.t.Error(err)
		return 0, 0
	}
	request.SetBasicAuth("demo-wallet", secret)
	began := time.Now()
	response, err := d.client.Do(request)
	if err != nil {
		d.t.Error(err)
		return 0, 0
	}
	_ = response.Body.Close()
	return response.StatusCode, time.Since(began)
}

// M3: right after a start, 64 requests of one partner at once are answered at once,
// also beside 64 connections with wrong secrets, and take no memory.
func TestM3PartnersRightAfterAStart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		secret, err := os.ReadFile(filepath.Join(d.data, "sandbox", "wallet.secret"))
		if err != nil {
			t.Fatal(err)
		}
		d.client.Transport = &http.Transport{MaxIdleConnsPerHost: 256}
		right := strings.TrimSpace(string(secret))
		for _, wrong := range []int{0, 64} {
			d.kill()
			before, _ := d.resident()
			var all sync.WaitGroup
			var mu sync.Mutex
			var slowest time.Duration
			for range wrong {
				all.Go(func() {
					for range 10 {
						if status, _ := d.partner("wrong"); status != http.StatusUnauthorized && status != http.StatusTooManyRequests {
							t.Errorf("a wrong secret was answered %d", status)
						}
					}
				})
			}
			for range 64 {
				all.Go(func() {
					status, took := d.partner(right)
					if status != http.StatusOK {
						t.Errorf("the right secret was answered %d", status)
					}
					mu.Lock()
					defer mu.Unlock()
					slowest = max(slowest, took)
				})
			}
			all.Wait()
			now, highest := d.resident()
			t.Logf("beside %d wrong: the slowest of 64 took %v; memory %d MiB before, %d after, %d at most", wrong, slowest, before, now, highest)
			// An argon2id run takes 64 MiB; 64 of them, two at a time, take seconds.
			if highest > before+60 || slowest > 5*time.Second {
				t.Errorf("memory rose from %d to %d MiB, the slowest answer took %v", before, highest, slowest)
			}
		}
	})
}

// M6: a thousand connections that promise a body and send little of it take hardly
// any memory, whatever the address, and others are answered meanwhile.
func TestM6PromisedBodiesTakeNoMemory(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	for _, c := range []struct {
		path   string
		length int
	}{
		{"/partner/osmp", 2_097_000}, {"/partner/osmp", 8 << 10}, {"/ussd/africastalking", 16 << 10},
		{"/sms/twilio", 16 << 10}, {"/v1/verifications", 32 << 10}, {"/nowhere", 2_097_000}, {"/v1/fines/appeals/1/files", 2_097_000}, {"/v1/fines/appeals/1/files", 8 << 10}, {"/%70artner/osmp", 2_097_000},
		{"/sandbox/x", 2_097_000}, {"/sandbox/x", 32 << 10}, {"/sandbox/../partner/osmp", 2_097_000},
	} {
		var open []net.Conn
		for range 1000 {
			connection, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, connection)
			if _, err := fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
				"Content-Length: %d\r\n\r\n%s", c.path, c.length, strings.Repeat("a", 100)); err != nil {
				t.Fatal(err)
			}
		}
		if ready := d.operators("/readyz"); !strings.Contains(ready, "ready") {
			t.Errorf("beside them: %q", ready)
		}
		if status := d.json(http.MethodGet, "/v1/openapi.yaml", "", nil, new([]byte)); status != http.StatusOK {
			t.Errorf("beside them a reader is answered %d", status)
		}
		now, highest := d.resident()
		t.Logf("%s with %d: %d MiB, at most %d", c.path, c.length, now, highest)
		if highest > 400 {
			t.Errorf("%s with a Content-Length of %d: %d MiB", c.path, c.length, highest)
		}
		for _, connection := range open {
			_ = connection.Close()
		}
	}
}

// M6: who opens as many connections as an address may, and says nothing, shuts
// nobody else out.
func TestM6OneAddressTakesNotAll(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	address := strings.TrimPrefix(d.url, "http://")
	for range 2200 {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = connection.Close() })
		_, _ = fmt.Fprint(connection, "GET / HTTP/1.1\r\nHost:")
	}
	elsewhere := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DialContext: elsewhere.DialContext}}
	response, err := client.Get(d.url + "/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Errorf("another address is answered %d", response.StatusCode)
	}
}

// M6: a body over its address's bound is refused by its header alone.
func TestM6BodiesAreBoundedByAddress(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	for _, c := range []struct {
		path  string
		limit int
	}{
		{"/partner/osmp", 8 << 10}, {"/ussd/africastalking", 16 << 10}, {"/sms/twilio", 16 << 10}, {"/v1/codes", 8 << 10},
		{"/v1/payments", 16 << 10}, {"/v1/verifications", 32 << 10}, {"/docs", 1 << 10}, {"/PARTNER/OSMP", 1 << 10},
		{"/sandbox/x", 32 << 10}, {"/sandbox/../partner/osmp", 8 << 10}, {"//partner//osmp", 1 << 10},
	} {
		for _, chunked := range []bool{false, true} {
			for _, more := range []int{0, 1} {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+c.path, strings.NewReader(strings.Repeat("a", c.limit+more)))
				if err != nil {
					t.Fatal(err)
				}
				if chunked {
					request.ContentLength = -1
				}
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				response, err := d.client.Do(request)
				if err != nil {
					continue // refused while it was still being written
				}
				_ = response.Body.Close()
				if refused := response.StatusCode == http.StatusRequestEntityTooLarge; refused != (more == 1) {
					t.Errorf("%s with %d bytes (chunked %v) was answered %d", c.path, c.limit+more, chunked, response.StatusCode)
				}
			}
		}
	}
}
