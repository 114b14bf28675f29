package e2e

import (
	"fmt"
	"testing"

	"github.com/eshik-kg/eshik/platform/smpp/smpptest"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

const plateAsked = "Унаанын номерин"

// lostConversations are conversations whose first input was no choice of the main menu, and what is
// typed next when Redis has lost them. Nothing is typed twice in a row: where requests
// have no number, that would be a retry.
var lostConversations = []struct {
	name  string
	begin func(h *handset)
	typed string
}{
	{"the language was chosen", func(h *handset) {
		h.rings("Кыргызча")
		h.keys("Эшик", "1")
	}, "2"},
	{"after a wrong key", func(h *handset) {
		h.rings("Кыргызча")
		h.keys("Эшик", "7", "1")
	}, "2"},
	{"deep in a service", func(h *handset) {
		h.rings("Кыргызча")
		h.keys("Бала бакча кезеги", "1", "3")
	}, "2"},
	{"an earlier conversation went on", func(h *handset) {
		h.rings("Кыргызча")
		h.keys("Бала бакча кезеги", "1", "3")
		h.keys("номерин", "2")
		h.rings(goOn)
		h.keys("номерин", "1")
	}, "2"},
	{"the language was changed", func(h *handset) {
		h.rings("Кыргызча")
		h.keys("Тил / Язык", "2", "5")
		h.keys("Эшик", "1")
	}, "3"},
}

// TestALostConversationLeadsToNoOtherService is M10: Redis dies in a new phone's conversation. What is
// typed next, and all that the gateway says again with it, is no choice of the menu: the
// menu comes again, and the conversation goes on from there.
func TestALostConversationLeadsToNoOtherService(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(d *door, server *redisServer, smsc *smpptest.SMSC){
		"killed, and the process with it": func(d *door, server *redisServer, smsc *smpptest.SMSC) {
			server.kill()
			d.kill()
			smsc.Until("bound")
		},
		"empty": func(_ *door, server *redisServer, _ *smpptest.SMSC) {
			server.kill()
			server.start()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, smsc := startRedis(t), smpptest.Start(t)
			d := open(t, []string{
				"ESHIK_DATABASE=" + storetest.NewPostgres(t), "ESHIK_REDIS=redis://" + server.address,
				"ESHIK_GATEWAYS=" + allGateways(t, smsc.Address), "E2E_LINK=12345678",
			})
			smsc.Until("bound")
			var phones []*handset
			for i, gateway := range wires {
				for j, conversation := range lostConversations {
					h := &handset{d: d, wire: formats(d, smsc)[gateway], phone: fmt.Sprintf("+9965550050%d%d", i, j)}
					conversation.begin(h)
					phones = append(phones, h)
				}
			}
			lose(d, server, smsc)
			for n, h := range phones {
				h.keys("Эшик\n1 Айып пулдар", lostConversations[n%len(lostConversations)].typed)
				h.keys(plateAsked, "1")
			}
		})
	}
}
