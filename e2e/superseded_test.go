package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/sandbox"
)

// TestAKillBringsNoMessageThatIsOutOfDate: a code's message is with the provider, which
// does not answer, when another phone pays the same fine and the server is killed. After
// the start the phone reads that the code is closed, and never that it should pay by it.
func TestAKillBringsNoMessageThatIsOutOfDate(t *testing.T) {
	t.Parallel()
	s := newSMSPRO(t, "price = 0.7\n", 100, nil, nil)
	s.tokens = map[string]string{aigul: s.signIn(aigul), bakyt: s.signIn(bakyt)}
	ref := "7900000000003" // of 01KG123ABC
	_, first := s.quoted(aigul, ref)
	s.inbox.await(aigul, "Код: "+first+",")
	s.account.Plan("/api/message", sandbox.SMSPROFault{Times: 1, Early: true, Delay: time.Minute})
	asked := s.account.Asked("/api/message")
	_, second := s.quoted(bakyt, ref)
	s.eventually("the code's message", func() bool { return s.account.Asked("/api/message") > asked })
	s.pay(first)
	s.until(1, "state = 'superseded'")
	s.kill()
	s.inbox.await(bakyt, "Код "+second+" жабылды")
	s.until(0, "state = 'queued'")
	for _, m := range s.inbox.inbox(bakyt) {
		if strings.Contains(m.Text, "Код: "+second) {
			t.Errorf("after %q the phone read %q", "жабылды", m.Text)
		}
	}
	if figures := s.metrics(); !strings.Contains(figures, "eshik_messages_superseded 1") {
		t.Error("the replaced message is not counted")
	}
}

// signIn gives a token to a phone that SMSPRO reaches.
func (s *smspro) signIn(phone string) string {
	s.t.Helper()
	s.asksCode(phone)
	var token struct {
		Access string `json:"access_token"`
	}
	in := map[string]string{"phone": phone, "code": s.inbox.code(phone, 0)}
	if status := s.json("POST", "/v1/tokens", "", in, &token); status != 200 {
		s.t.Fatalf("tokens: %d", status)
	}
	return token.Access
}
