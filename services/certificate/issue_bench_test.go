package certificate_test

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/certificate"
)

// BenchmarkIssue counts the CPU time, all threads, the garbage collector and SQLite included, in which one certificate is
// asked for, signed, stored, drawn and signed as a PDF. The row `issue` of `make bench` is this.
func BenchmarkIssue(b *testing.B) {
	h := newWorld(b, storetest.Open(b, storetest.NewSQLite(b)))
	h.register.members = largeFamily()[:3]
	start, n := used(b), 0
	for b.Loop() {
		h.Clock.Pass(31 * 24 * time.Hour) // so that no limit is reached
		n++
		asks := aigul("b" + strconv.Itoa(n))
		asks.Now = h.Clock.Now()
		issued := must[certificate.Certificate](b)(h.Request(b.Context(), asks, certificate.Family))
		must[[]byte](b)(h.PDF(b.Context(), asks, issued.Number))
	}
	b.ReportMetric((used(b)-start).Seconds()*1000/float64(n), "ms-CPU/op")
}

// used is what this process used of the processors.
func used(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
