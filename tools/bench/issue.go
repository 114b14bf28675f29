package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// maxIssue is what a certificate may cost with its PDF and both signatures, in milliseconds of CPU.
const maxIssue = 25

var issueCost = regexp.MustCompile(`([0-9.]+) ms-CPU/op`)

// measureIssue has the service measure itself, whose neighbours only its tests make: the CPU time, all threads, of a certificate
// asked for, signed, stored, and drawn and signed as a PDF. Control is the most that it may take.
func measureIssue(ctx context.Context, s settings) (row, error) {
	var values []float64
	for range s.rounds {
		span := max(s.span/4, time.Second).String()
		said, err := exec.CommandContext(ctx, "go", "test", "-vet=off", "-count=1", "-run", "^$", "-bench", "^BenchmarkIssue$", "-benchtime", span, "./services/certificate").CombinedOutput() // #nosec G204 -- constants and a time
		if err != nil {
			return row{}, fmt.Errorf("%w: %s", err, said)
		}
		cost := issueCost.FindSubmatch(said)
		if cost == nil {
			return row{}, fmt.Errorf("the benchmark says no cost: %s", said)
		}
		value, err := strconv.ParseFloat(string(cost[1]), 64)
		if err != nil {
			return row{}, err
		}
		values = append(values, value)
	}
	value := median(values)
	return row{Value: value, Unit: "ms CPU", Control: maxIssue, Ratio: value / maxIssue, Pass: value <= maxIssue, Note: "SQLite, a family of three"}, nil
}
