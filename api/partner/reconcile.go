package partner

import (
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
)

// ReconcileDay compares a partner's registry with our books.
func (s *REST) ReconcileDay(ctx context.Context, r ReconcileDayRequestObject) (ReconcileDayResponseObject, error) {
	read := readOSMP
	if r.Body.Format == RegistryFormatCsv {
		read = readCSV
	}
	registry, err := read(r.Body.Registry)
	if err != nil {
		return nil, err
	}
	got, err := s.Payments.Reconcile(ctx, api.PrincipalFrom(ctx).ID, clock.Noon(r.Body.Day.Time), registry)
	if err != nil {
		return nil, err
	}
	answer := ReconcileDay200JSONResponse{
		Day: r.Body.Day, Theirs: got.Theirs, Ours: got.Ours, Matched: got.Matched, Mismatches: make([]Mismatch, len(got.Mismatches)),
	}
	for i, m := range got.Mismatches {
		answer.Mismatches[i] = mismatch(m)
	}
	return answer, nil
}

func mismatch(m payment.Mismatch) Mismatch {
	out := Mismatch{Kind: MismatchKind(m.Kind), TxnId: m.TxnID}
	if m.Theirs.Line > 0 {
		out.Theirs = &RegistryLine{Line: m.Theirs.Line, PaidAt: m.Theirs.At, Code: api.Optional(m.Theirs.Code), Amount: int64(m.Theirs.Amount)}
	}
	if m.Ours.ID != "" {
		ours := view(m.Ours)
		out.Ours = &ours
	}
	return out
}

func badLine(n int) error {
	return problem.New(problem.Invalid, "problem.partner_registry_line", "n", n)
}

var errTotal = problem.New(problem.Invalid, "problem.partner_registry_total")

// lines are those of a file, without the mark of UTF-8, the ends of DOS and empty ones at the end.
func lines(text string) []string {
	text = strings.TrimRight(strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n"), "\n")
	return strings.Split(text, "\n")
}

// total is the last line of an OSMP registry.
const total = "Total:"

// readOSMP reads a registry of the OSMP protocol. Without its total a file may have been cut.
func readOSMP(text string) ([]payment.Listed, error) {
	rows := lines(text)
	last := strings.Fields(rows[len(rows)-1])
	if len(last) != 3 || last[0] != total {
		return nil, errTotal
	}
	var sum money.Amount
	list := make([]payment.Listed, 0, len(rows)-1)
	for i, row := range rows[:len(rows)-1] {
		line, err := readOSMPLine(i+1, strings.Split(row, "\t"))
		if err != nil {
			return nil, err
		}
		sum += line.Amount
		list = append(list, line)
	}
	stated, err := money.ParseSom(last[2])
	if err != nil || stated != sum || last[1] != strconv.Itoa(len(list)) {
		return nil, errTotal
	}
	return list, nil
}

// Days and times of registries: no source tells which of the days it is.
var registryTimes = []string{"2006-01-02 15:04:05", "02.01.2006 15:04:05"}

func readOSMPLine(n int, fields []string) (payment.Listed, error) {
	if len(fields) != 5 || !txnPattern.MatchString(fields[0]) || !accountPattern.MatchString(fields[3]) || !sumPattern.MatchString(fields[4]) {
		return payment.Listed{}, badLine(n)
	}
	line := payment.Listed{Line: n, TxnID: fields[0], Code: fields[3]}
	i := slices.IndexFunc(registryTimes, func(layout string) (fits bool) {
		at, err := time.ParseInLocation(layout, fields[1]+" "+fields[2], clock.Bishkek)
		line.At = at
		return err == nil
	})
	var err error
	if line.Amount, err = money.ParseSom(fields[4]); err != nil || i < 0 {
		return payment.Listed{}, badLine(n)
	}
	return line, nil
}

var csvHeading = []string{"txn_id", "paid_at", "code", "amount"}

// readCSV reads a registry of ours (RFC 4180).
func readCSV(text string) ([]payment.Listed, error) {
	rows := lines(text)
	if !slices.Equal(strings.Split(rows[0], ","), csvHeading) {
		return nil, badLine(1)
	}
	list := make([]payment.Listed, 0, len(rows)-1)
	for i, row := range rows[1:] {
		line, err := readCSVLine(row)
		if err != nil {
			return nil, badLine(i + 2)
		}
		line.Line = i + 2
		list = append(list, line)
	}
	return list, nil
}

func readCSVLine(row string) (line payment.Listed, err error) {
	reader := csv.NewReader(strings.NewReader(row))
	fields, err := reader.Read()
	if err != nil || len(fields) != len(csvHeading) || !txnPattern.MatchString(fields[0]) {
		return line, fmt.Errorf("read a row: %w", errRequest)
	}
	at, err := time.Parse(time.RFC3339, fields[1])
	if err != nil {
		return line, fmt.Errorf("read a moment: %w", err)
	}
	tyiyn, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil || tyiyn <= 0 {
		return line, errRequest
	}
	return payment.Listed{TxnID: fields[0], At: at, Code: fields[2], Amount: money.Amount(tyiyn)}, nil
}
