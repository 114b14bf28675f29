package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestOneOrderAtOnce: 64 identical orders of one account, sent at once, give one
// certificate and one message; who is told to wait gets it by asking again (F4).
func TestOneOrderAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		token := d.signIn(aigul)
		proof := map[string]string{"personal_number": "11503198800011", "document_number": "ID1000001"}
		if status := d.json(http.MethodPost, "/v1/proofs", token, proof, nil); status != http.StatusNoContent {
			t.Fatalf("proofs: %d", status)
		}
		order := func() (int, string) {
			var made struct{ Number string }
			status := d.json(http.MethodPost, "/v1/certificates", token, map[string]string{"kind": "RESIDENCE"}, &made, "Idempotency-Key", "orders-at-once-1")
			return status, made.Number
		}
		var mu sync.Mutex
		numbers := map[string]int{}
		gate := make(chan struct{})
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				<-gate
				status, number := order()
				mu.Lock()
				defer mu.Unlock()
				switch status {
				case http.StatusCreated:
					numbers[number]++
				case http.StatusConflict: // the first is being answered still
				default:
					t.Errorf("an order is answered %d", status)
				}
			})
		}
		close(gate)
		all.Wait()
		status, number := order()
		if status != http.StatusCreated || len(numbers) != 1 || numbers[number] == 0 {
			t.Fatalf("orders gave %v, then %d %s", numbers, status, number)
		}
		var list []struct{ Number string }
		if status := d.json(http.MethodGet, "/v1/certificates", token, nil, &list); status != http.StatusOK || len(list) != 1 {
			t.Errorf("%d: %d certificates", status, len(list))
		}
		d.await(aigul, number)
		told := 0
		for _, m := range d.inbox(aigul) {
			if strings.Contains(m.Text, number) {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%d messages", told)
		}
	})
}
