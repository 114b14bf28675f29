package fine_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

const aPhoto = "\xff\xd8\xff\xe0 a photo"

var photoToken = regexp.MustCompile(`https://eshik\.example\.kg/e/([0-9A-Za-z]{22})$`)

// withPhotos is a world whose register has a photo of each fine, and where the phone is the person's.
func withPhotos(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := newWorld(t, db)
	w.phones = []string{aigul}
	w.city.photos = map[string][]byte{"101": []byte(aPhoto), "102": []byte(aPhoto), "103": []byte(aPhoto)}
	return w
}

// newestLink is what was drawn of the link that a phone was sent last.
func (w *world) newestLink(t *testing.T) string {
	t.Helper()
	list, err := w.Outbox.List(t.Context(), aigul)
	testworld.OK(t, err)
	for _, m := range list {
		if found := photoToken.FindStringSubmatch(m.Text); found != nil {
			return found[1]
		}
	}
	t.Fatalf("no link was sent: %v", list)
	return ""
}

// sentLink has the phone be sent a link to the photo of the first fine.
func (w *world) sentLink(t *testing.T, turn string) string {
	t.Helper()
	c := w.ownerOn(aigul)
	c.Key = turn
	testworld.OK(t, w.SendPhotoLink(t.Context(), c, plate, "101"))
	return w.newestLink(t)
}

func (w *world) browser() caller.Caller { return caller.Caller{Channel: caller.Web, Now: w.Now()} }

// opens has a browser press the button of a link.
func (w *world) opens(t *testing.T, token string) (photo, key string) {
	t.Helper()
	got, err := w.OpenPhoto(t.Context(), w.browser(), token)
	if err != nil {
		key = problem.From(err).Key
	}
	return string(got), key
}

// TestALinkShowsItsPhotoOnce: also to eight at once; looking at it spends nothing, the person can
// read that it was opened, and what it is drawn of is kept nowhere.
func TestALinkShowsItsPhotoOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := withPhotos(t, db)
		token := w.sentLink(t, "turn-1")
		for range 3 {
			testworld.OK(t, w.PhotoLinkGood(t.Context(), w.browser(), token))
		}
		var group sync.WaitGroup
		var shown, spent atomic.Int32
		for range 8 {
			group.Go(func() {
				switch photo, key := w.opens(t, token); {
				case photo == aPhoto:
					shown.Add(1)
				case key == "problem.fine_photo_link_spent":
					spent.Add(1)
				}
			})
		}
		group.Wait()
		if shown.Load() != 1 || spent.Load() != 7 {
			t.Errorf("shown %d times, refused %d times", shown.Load(), spent.Load())
		}
		if err := w.PhotoLinkGood(t.Context(), w.browser(), token); problem.From(err).Key != "problem.fine_photo_link_spent" {
			t.Errorf("looked at afterwards: %v", err)
		}
		if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'fine.photo_open' AND subject = $1 AND actor LIKE 'phone:%'", citizen); n != 1 {
			t.Errorf("%d openings are recorded", n)
		}
		if n := w.Number("SELECT COUNT(*) FROM fine_photo_links WHERE token_index LIKE $1 OR turn LIKE $1", "%"+token+"%"); n != 0 {
			t.Error("the link is kept in the clear")
		}
		other := token[:21] + string('a'+(token[21]+1)%2)
		if other == token {
			other = token[:21] + "Z"
		}
		for _, wrong := range []string{other, "", token + "x", strings.Repeat("a", 22), "' OR 1=1 --"} {
			if photo, key := w.opens(t, wrong); photo != "" || key != "problem.fine_photo_link" {
				t.Errorf("%q: %q, %s", wrong, photo, key)
			}
		}
	})
}

// TestALinkEnds: with its time, its phone, its car and its person; and not with the register's hours.
func TestALinkEnds(t *testing.T) {
	t.Parallel()
	const void, over = "problem.fine_photo_link_void", "problem.fine_photo_link_over"
	for name, c := range map[string]struct {
		then func(t *testing.T, w *world)
		key  string // of the problem that it is answered with; empty: it shows the photo
		ends bool   // and is good no more
	}{
		"a minute early":          {func(_ *testing.T, w *world) { w.Pass(29 * time.Minute) }, "", true},
		"its time is over":        {func(_ *testing.T, w *world) { w.Pass(30 * time.Minute) }, over, true},
		"the number was released": {func(t *testing.T, w *world) { w.released(t) }, void, true},
		"the phone was undone":    {func(t *testing.T, w *world) { w.cut(t, aigul, "") }, void, true},
		"the phone forgot whom": {func(t *testing.T, w *world) {
			testworld.OK(t, w.DB.InTx(t.Context(), func(tx *store.Tx) error { return w.Forgets(t.Context(), tx, aigul, w.Now()) }))
		}, void, true},
		"another phone was undone":  {func(t *testing.T, w *world) { w.cut(t, bakyt, aigul) }, "", true},
		"the proof is worth no SMS": {func(_ *testing.T, w *world) { w.phones = nil }, void, false},
		"the car was unlinked": {func(t *testing.T, w *world) {
			testworld.OK(t, w.Unlink(t.Context(), w.ownerOn(aigul), w.linked(t).ID))
		}, void, true},
		"the car was sold":        {func(_ *testing.T, w *world) { w.city.sold = true }, "problem.registry_not_owner", false},
		"the register is down":    {func(_ *testing.T, w *world) { w.city.dark = true }, "problem.internal", false},
		"the register has none":   {func(_ *testing.T, w *world) { delete(w.city.photos, "101") }, "problem.fine_photo", false},
		"the register gives HTML": {func(_ *testing.T, w *world) { w.city.photos["101"] = []byte("<script>") }, "problem.registry_answer", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := withPhotos(t, db)
				token := w.sentLink(t, "turn-1")
				c.then(t, w)
				if photo, key := w.opens(t, token); key != c.key || (photo == aPhoto) != (c.key == "") {
					t.Errorf("%q, %s", photo, key)
				}
				if good := w.PhotoLinkGood(t.Context(), w.browser(), token) == nil; good == c.ends {
					t.Errorf("it is good afterwards: %v", good)
				}
				testworld.OK(t, db.Snapshot(t.Context(), w.look))
				w.city.sold, w.city.dark, w.phones = false, false, []string{aigul}
				w.city.photos["101"] = []byte(aPhoto)
				if photo, key := w.opens(t, token); !c.ends && photo != aPhoto {
					t.Errorf("it is lost: %q, %s", photo, key)
				}
			})
		})
	}
}

// released has the number get another holder.
func (w *world) released(t *testing.T) {
	t.Helper()
	testworld.OK(t, w.DB.InTx(t.Context(), func(tx *store.Tx) error { return w.CutPhone(t.Context(), tx, aigul, w.Now()) }))
}

// TestLinksAreForTheOwner: strongly proved until one is kept; a turn that comes twice sends one, and
// a person is sent ten a day.
func TestLinksAreForTheOwner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := withPhotos(t, db)
		for name, c := range map[string]struct {
			change        func(*caller.Caller)
			plate, number string
			key           string
		}{
			"nobody proved":     {func(c *caller.Caller) { c.Subject = "" }, plate, "101", "problem.fine_proof"},
			"weakly proved":     {func(c *caller.Caller) { c.Level = caller.LevelWeak }, plate, "101", "problem.level_strong"},
			"no plate":          {func(*caller.Caller) {}, "???", "101", "problem.fine_plate"},
			"no number":         {func(*caller.Caller) {}, plate, "1 OR 1", "problem.fine_number"},
			"cut off meanwhile": {func(*caller.Caller) { w.proven = false }, plate, "101", "problem.fine_proof"},
		} {
			who := w.ownerOn(aigul)
			who.Key = name
			c.change(&who)
			testworld.Refused(t, w.SendPhotoLink(t.Context(), who, c.plate, c.number), c.key)
		}
		w.Pass(25 * time.Hour)
		var group sync.WaitGroup
		who := w.ownerOn(bakyt)
		who.Key = "the same turn"
		for range 4 {
			group.Go(func() {
				if err := w.SendPhotoLink(t.Context(), who, plate, "101"); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := w.Number("SELECT COUNT(*) FROM fine_photo_links"); n != 1 || w.queued("purpose = 'code'") != 1 {
			t.Errorf("%d links of one turn", n)
		}
		w.Pass(25 * time.Hour)
		for n := range 11 {
			who := w.ownerOn(aigul)
			who.Key = fmt.Sprint("turn ", n)
			if err := w.SendPhotoLink(t.Context(), who, plate, "101"); (n == 10) != (problem.From(err).Key == "problem.fine_photo_links") || (err != nil && n < 10) {
				t.Errorf("link %d: %v", n+1, err)
			}
		}
		w.Pass(31 * 24 * time.Hour)
		testworld.OK(t, w.ForgetPhotoLinks(t.Context()))
		if n := w.Number("SELECT COUNT(*) FROM fine_photo_links"); n != 0 {
			t.Errorf("%d links are kept for good", n)
		}
	})
}

// TestALinkIsTheLogs: whoever writes to a link's row is named.
func TestALinkIsTheLogs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := withPhotos(t, db)
		w.opens(t, w.sentLink(t, "turn-1"))
		var list []storetest.Plant
		for _, set := range []string{
			"citizen_id = 'x'", "token_index = 'x'", "turn = 'x'", "bill = '102'", "plate_index = 'x'", "plate_sealed = X", "phone_index = 'x'",
			"made_at = made_at + 1", "expires_at = expires_at + 1", "spent_at = NULL", "void_at = 1",
		} {
			set = strings.Replace(set, "= X", "= (SELECT text_sealed FROM notify_messages LIMIT 1)", 1)
			list = append(list, storetest.Plant{Name: set, Statements: []string{"UPDATE fine_photo_links SET " + set}, Named: []string{"link to a photo", "otherwise"}})
		}
		list = append(list, storetest.Plant{Name: "another", Statements: []string{"UPDATE fine_photo_links SET id = 'x'"}, Named: []string{"knows nothing of the link to a photo x"}})
		storetest.Planted(t, db, list, w.look)
	})
}

// TestConversationSendsThePhoto: from the screen of a fine, which says when, where and what, over
// both channels in every script; the message has one part, and the conversation nothing of the link.
func TestConversationSendsThePhoto(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		loc                             locales.Locale
		channel                         caller.Channel
		more, appeal, one, option, says string
	}{
		{locales.KY, caller.USSD, "Чоо-жайы", "Даттануу", "светофор", "Сүрөтү", "30 мүнөт, бир жолу ачылат"},
		{locales.RU, caller.USSD, "Подробнее", "Обжаловать", "светофор", "Фото", "30 мин., откроется один раз"},
		{locales.KYLatn, caller.USSD, "Choo-jaiy", "Dattanuu", "svetofor", "Sürötü", "30 münöt, bir jolu achylat"},
		{locales.KY, caller.SMS, "Чоо-жайы", "Даттануу", "светофор", "Сүрөтү", "30 мүнөт, бир жолу ачылат"},
		{locales.RU, caller.SMS, "Подробнее", "Обжаловать", "светофор", "Фото", "30 мин., откроется один раз"},
	} {
		t.Run(fmt.Sprint(c.channel, " ", c.loc), func(t *testing.T) {
			t.Parallel()
			w := withPhotos(t, storetest.Open(t, storetest.NewSQLite(t)))
			k := newConversation(t, w, c.loc)
			if c.channel == caller.SMS {
				k.bySMS()
			}
			k.start("")
			k.say("1")
			k.read(plate)
			k.choose(c.more)
			k.choose(c.appeal)
			k.expect(flat(k.choose(c.one)), "23.11.2026 12:00")
			k.expect(flat(k.choose(c.option)), c.says)
			token := w.newestLink(t)
			if strings.Contains(string(k.state.Encode()), token) || strings.Contains(k.last, token) {
				t.Error("the conversation has the link")
			}
			list, err := w.Outbox.List(t.Context(), aigul)
			testworld.OK(t, err)
			if len(list) != 1 || len(gsm.Split(list[0].Text).Texts) != 1 {
				t.Errorf("%v", list)
			}
			if photo, key := w.opens(t, token); photo != aPhoto {
				t.Errorf("%q, %s", photo, key)
			}
		})
	}
}
