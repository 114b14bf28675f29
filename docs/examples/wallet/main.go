// Command wallet pays a fine by its plate, as a payment app does, with nothing but the standard
// library: go run ./docs/examples/wallet 01KG123ABC. URL is the server's address, CLIENT the
// client secret of the partner demo-wallet.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"
)

// tries is how often a request is sent that nobody answered.
const tries = 6

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) != 2 {
		fail(errors.New("which plate? go run ./docs/examples/wallet 01KG123ABC"))
	}
	w := wallet{address: os.Getenv("URL"), http: &http.Client{Timeout: 60 * time.Second}}
	if err := w.signIn(ctx, "demo-wallet", os.Getenv("CLIENT")); err != nil {
		fail(err)
	}
	if err := w.payByPlate(ctx, os.Args[1]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

type wallet struct {
	address, token string
	http           *http.Client
}

// signIn gets an access token, which is good for five minutes (RFC 6749, section 4.4).
func (w *wallet) signIn(ctx context.Context, id, secret string) error {
	form := strings.NewReader("grant_type=client_credentials")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.address+"/partner/oauth/token", form)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	response, err := w.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	var token struct {
		Access string `json:"access_token"`
		Error  string `json:"error_description"`
	}
	if err := json.NewDecoder(response.Body).Decode(&token); err != nil {
		return fmt.Errorf("no token: %s: %w", response.Status, err)
	}
	if token.Access == "" {
		return fmt.Errorf("no token: %s %s", response.Status, token.Error)
	}
	w.token = token.Access
	return nil
}

// ask makes a request of REST. Where nobody can say what came of it, it sends the same again: that
// has one effect, however often.
func (w *wallet) ask(ctx context.Context, method, path, key string, in, out any) error {
	var last error
	for pause := time.Second; pause < time.Second<<tries; pause *= 2 {
		answered, err := w.once(ctx, method, path, key, in, out)
		if answered || ctx.Err() != nil {
			return err
		}
		last = err
		time.Sleep(pause)
	}
	return last
}

// once is one try; answered says that what was said is final.
func (w *wallet) once(ctx context.Context, method, path, key string, in, out any) (answered bool, err error) {
	var body []byte
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return true, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, w.address+"/partner/v1"+path, bytes.NewReader(body))
	if err != nil {
		return true, err
	}
	request.Header.Set("Authorization", "Bearer "+w.token)
	request.Header.Set("Accept-Language", "en")
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := w.http.Do(request)
	if err != nil {
		return false, err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return false, err
	}
	if response.StatusCode < http.StatusMultipleChoices {
		return true, json.Unmarshal(data, out)
	}
	var problem struct{ Code, Detail string }
	_ = json.Unmarshal(data, &problem)
	final := response.StatusCode < http.StatusInternalServerError && response.StatusCode != http.StatusTooManyRequests
	return final, fmt.Errorf("%d %s: %s", response.StatusCode, problem.Code, problem.Detail)
}

type bill struct {
	Service, Ref, State string
	Amount              int64
}

// payByPlate finds what is owed, has the first bill quoted, pays it and waits for its register.
func (w *wallet) payByPlate(ctx context.Context, plate string) error {
	const user = "u-7f3a" // our own pseudonym of who asks
	var found struct {
		Results []struct {
			Answer string
			Bills  []bill
		}
	}
	if err := w.ask(ctx, http.MethodPost, "/bills", "", map[string]any{"user": user, "find": []any{map[string]string{"plate": plate}}}, &found); err != nil {
		return err
	}
	if result := found.Results[0]; result.Answer != "found" {
		fmt.Println("answer:", result.Answer) // none, unknown and not_now are three things
		return nil
	}
	owed := found.Results[0].Bills[0]
	txn, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil))
	if err != nil {
		return err
	}
	var quote struct {
		Code   string
		Amount int64
	}
	if err := w.ask(ctx, http.MethodPost, "/quotes", "quote-"+txn.String(), map[string]any{"user": user, "service": owed.Service, "bills": []string{owed.Ref}}, &quote); err != nil {
		return err
	}
	fmt.Printf("to pay: %d.%02d som by the code %s\n", quote.Amount/100, quote.Amount%100, quote.Code)
	var payment struct{ State string }
	if err := w.ask(ctx, http.MethodPut, "/payments/"+txn.String(), "", map[string]any{"code": quote.Code, "amount": quote.Amount}, &payment); err != nil {
		return err
	}
	for payment.State == "accepted" {
		time.Sleep(time.Second)
		if err := w.ask(ctx, http.MethodGet, "/payments/"+txn.String(), "", nil, &payment); err != nil {
			return err
		}
	}
	fmt.Println("state:", payment.State)
	return nil
}
