package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
	"waveadmin/internal/waveapi"
)

// BenchmarkSave measures one save of one flag with 200 accounts and an API that
// answers at once. By turns with it run the same three calls, list, write and
// list: by a bare client that throws the answers away, and by ours, which decodes
// and checks them.
func BenchmarkSave(b *testing.B) {
	s := newSite(b, 200)
	accounts := s.wave.Accounts()
	save := s.saver(b, accounts[100])
	bare, client := s.bareSaver(b, accounts[101]), s.clientSaver(b, accounts[101])
	save()
	s.wave.ResetJournal()
	save()
	if lists, writes := s.wave.Count(sandbox.OpList), s.wave.Count(sandbox.OpMeta); lists != 2 || writes != 1 {
		b.Fatalf("a save makes %d lists and %d writes, the others 2 and 1", lists, writes)
	}

	var saves, bares, clients times
	for b.Loop() {
		saves.add(save)
		bares.add(bare)
		clients.add(client)
	}
	b.ReportMetric(0, "ns/op") // of all together: says nothing
	b.ReportMetric(micros(saves.wall), "µs")
	b.ReportMetric(micros(bares.wall), "bare-µs")
	b.ReportMetric(micros(saves.wall)-micros(clients.wall), "over-client-µs")
	b.ReportMetric(micros(saves.wall)-micros(bares.wall), "over-bare-µs")
	b.ReportMetric(micros(saves.cpu)-micros(clients.cpu), "cpu-over-client-µs")
	b.ReportMetric(micros(saves.cpu)-micros(bares.cpu), "cpu-over-bare-µs")
}

// times are those of one contender, by the clock and of the CPU.
type times struct{ wall, cpu []time.Duration }

func (t *times) add(f func()) {
	start, cpu := time.Now(), used()
	f()
	t.wall, t.cpu = append(t.wall, time.Since(start)), append(t.cpu, used()-cpu)
}

// saver returns a function that switches a flag as the page does under htmx.
func (s *site) saver(b *testing.B, account wave.Reseller) func() {
	const flag = "invoice"
	on := account.Meta.On(flag)
	return func() {
		form := url.Values{}
		for _, f := range wave.Flags { // a page sends them all
			is := account.Meta.On(f.Key)
			if f.Key == flag {
				is = on
			}
			form.Set("was."+string(f.Key), wave.StateOf(is).String())
			if is {
				form.Set("is."+string(f.Key), "on")
			}
		}
		if on = !on; on {
			form.Set("is."+flag, "on")
		} else {
			form.Del("is." + flag)
		}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, s.request("POST", "/resellers/"+string(account.UserID)+"/meta", form, "HX-Request: true"))
		if w.Code != http.StatusOK || !bytes.Contains(w.Body.Bytes(), []byte(`data-testid="undo"`)) {
			b.Fatalf("save: status %d: %s", w.Code, w.Body)
		}
	}
}

// bareSaver returns a function that lists, writes the flags of account as they
// are, and lists again. It reads the answers to their ends and throws them away.
func (s *site) bareSaver(b *testing.B, account wave.Reseller) func() {
	c := &http.Client{Transport: &http.Transport{}}
	b.Cleanup(c.CloseIdleConnections)
	call := func(method, address, contentType, authorization string, body []byte) []byte {
		r, err := http.NewRequest(method, address, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", authorization)
		res, err := c.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			b.Fatalf("%s %s: status %d, %v: %s", method, address, res.StatusCode, err, answer)
		}
		return answer
	}
	var token struct {
		Type   string `json:"token_type"`
		Access string `json:"access_token"`
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {"openid"},
		"client_id": {s.cfg.Wave.ClientID}, "client_secret": {s.cfg.Wave.ClientSecret.Reveal()},
	}
	answer := call("POST", s.cfg.Wave.TokenURL, "application/x-www-form-urlencoded", "", []byte(form.Encode()))
	if err := json.Unmarshal(answer, &token); err != nil {
		b.Fatal(err)
	}
	meta, err := account.Meta.MarshalJSON()
	if err != nil {
		b.Fatal(err)
	}
	meta = slices.Concat([]byte(`{"meta":`), meta, []byte(`}`))
	bearer, list := token.Type+" "+token.Access, s.cfg.Wave.BaseURL+"reseller"
	return func() {
		call("GET", list, "", bearer, nil)
		call("PUT", list+"/"+string(account.UserID)+"/meta", "application/json", bearer, meta)
		call("GET", list, "", bearer, nil)
	}
}

// clientSaver returns a function that does what bareSaver's does with our client.
func (s *site) clientSaver(b *testing.B, account wave.Reseller) func() {
	c, err := waveapi.New(waveapi.Options{
		BaseURL: s.cfg.Wave.BaseURL, TokenURL: s.cfg.Wave.TokenURL, RatePerSecond: s.cfg.Wave.RatePerSecond,
		ClientID: s.cfg.Wave.ClientID, ClientSecret: s.cfg.Wave.ClientSecret.Reveal(),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return func() {
		_, before := c.List(b.Context())
		wrote := c.ReplaceMeta(b.Context(), account.UserID, account.Meta)
		_, after := c.List(b.Context())
		if err := errors.Join(before, wrote, after); err != nil {
			b.Fatal(err)
		}
	}
}
