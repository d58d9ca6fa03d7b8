package handlers_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"waveadmin/handlers"
	"waveadmin/internal/change"
	"waveadmin/internal/i18n"
	"waveadmin/internal/preset"
	"waveadmin/internal/reseller"
	"waveadmin/internal/testkit"
	"waveadmin/internal/wave"
)

// shelf is the reseller table on a list that a test gives.
type shelf struct {
	*handlers.Resellers
	list    []wave.Reseller
	exports []string
	refuse  error
}

type shelfAPI struct {
	reseller.API
	s *shelf
}

func (a shelfAPI) List(context.Context) ([]wave.Reseller, error) { return a.s.list, nil }

func (s *shelf) RecordExport(_ context.Context, file string, filter map[string]string, rows int) error {
	s.exports = append(s.exports, fmt.Sprint(file, " ", filter, " ", rows))
	return s.refuse
}

func (s *shelf) Book() *preset.Book {
	p := preset.New(preset.Preset{ID: "g", Name: "=Gold", Flags: wave.Wanted{"invoice": true}})
	return preset.NewBook([]*preset.Preset{p}, []preset.Assignment{{Account: "u-2", Preset: "g"}}, "")
}

func (s *shelf) LastOf(id wave.UserID) (change.Last, bool) {
	if id != "u-2" {
		return change.Last{}, false
	}
	return change.Last{At: time.Date(2026, 11, 22, 5, 3, 0, 0, time.UTC), By: "＋田中"}, true
}

func newShelf(t *testing.T, list ...wave.Reseller) *shelf {
	t.Helper()
	s := &shelf{list: list}
	dir := reseller.NewDirectory(shelfAPI{s: s}, reseller.DirectoryOptions{MaxAge: time.Hour, Fold: i18n.Fold})
	t.Cleanup(dir.Close)
	s.Resellers = &handlers.Resellers{Directory: dir, Ledger: s, Presets: s, Exports: s}
	return s
}

// get returns the file's rows, its headers first.
func (s *shelf) get(t *testing.T, lang, target string, form url.Values) ([][]string, *httptest.ResponseRecorder) {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.ask(t, &writer{w, &desk{t: t}}, lang, target, form); err != nil {
		t.Fatal(err)
	}
	body, ok := strings.CutPrefix(w.Body.String(), "\uFEFF")
	if !ok || strings.Count(body, "\n") != strings.Count(body, "\r\n") {
		t.Error("no mark of UTF-8 in front, or a line ends without CR")
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows, w
}

func (s *shelf) ask(t *testing.T, w http.ResponseWriter, lang, target string, form url.Values) error {
	ctx := i18n.WithZone(i18n.WithLang(t.Context(), lang), jst)
	r := httptest.NewRequestWithContext(ctx, "GET", target, nil)
	if form != nil {
		r = httptest.NewRequestWithContext(ctx, "POST", target, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return s.CSV(w, r)
}

func evilAccounts() []wave.Reseller {
	one := accountOf("u-1")
	one.Email, one.BillingGroup.Name = "＝cmd@example.co.jp", "=1+1, \"株式会社\"\nあ"
	one.BillingGroup.ID, one.BillingGroup.CompanyID = "@SUM(A1)", "\t=1"
	one.Registered = time.Date(2026, 11, 22, 5, 3, 0, 0, time.UTC)
	two := accountOf("u-2")
	two.Meta = two.Meta.With("invoice", false).With("open_api", true)
	return []wave.Reseller{one, two}
}

func TestResellersCSV(t *testing.T) {
	s := newShelf(t, evilAccounts()...)
	rows, w := s.get(t, "ja", "/resellers.csv", nil)
	if len(rows) != 3 || len(rows[0]) != 13+len(wave.Flags) {
		t.Fatalf("%d rows of %d columns: %v", len(rows), len(rows[0]), rows)
	}
	if got, want := strings.Join(rows[0][:4], "|"), "ユーザーID [user_id]|メールアドレス [email]|請求グループ [billing_group_name]|請求グループID [billing_group_id]"; got != want {
		t.Errorf("headers %q, want %q", got, want)
	}
	if got, want := strings.Join(rows[1][:7], "|"), "u-1|'＝cmd@example.co.jp|'=1+1, \"株式会社\"\nあ|'@SUM(A1)|'\t=1|2026/11/22 14:03:00 JST|"; got != want {
		t.Errorf("the first account is %q, want %q", got, want)
	}
	if got, want := strings.Join(rows[2][9:13], "|"), "'=Gold|1|2026/11/22 14:03:00 JST|'＋田中"; got != want {
		t.Errorf("preset and change of the second are %q, want %q", got, want)
	}
	flag := func(row []string, key string) string {
		for i, head := range rows[0] {
			if strings.HasSuffix(head, "["+key+"]") {
				return row[i]
			}
		}
		return "no such column"
	}
	if flag(rows[2], "open_api") != "on" || flag(rows[2], "invoice") != "off" {
		t.Error("the functions of the second are not what it has")
	}
	for name, want := range map[string]string{
		"Content-Type": "text/csv; charset=utf-8; header=present", "Cache-Control": "no-store",
		"Content-Disposition": `attachment; filename=resellers-` + time.Now().In(jst).Format("20060102"),
	} {
		if got := w.Header().Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestResellersCSV_selects(t *testing.T) {
	s := newShelf(t, evilAccounts()...)
	tests := []struct {
		name, target string
		form         url.Values
		ids          string // of the rows
		heads        int
		recorded     string
	}{
		{"a filter", "/resellers.csv?on=open_api&page=9&size=25", nil, "u-2", 48, "resellers.csv map[on:open_api] 1"},
		{"an order, and all pages", "/resellers.csv?sort=-email", nil, "u-2 u-1", 48, "resellers.csv map[] 2"},
		{"by preset", "/resellers.csv?preset=g&drift=1", nil, "u-2", 48, "resellers.csv map[drift:1 preset:g] 1"},
		{"columns", "/resellers.csv?cols=email,preset", nil, "u-1 u-2", 4, "resellers.csv map[] 2"},
		{"the email alone", "/resellers.csv?cols=email", nil, "u-1 u-2", 2, "resellers.csv map[] 2"},
		{"a selection", "/resellers.csv?user=u-2", nil, "u-2", 48, "resellers.csv map[user:1] 1"},
		{"a selection by the form", "/resellers.csv", url.Values{"user": {"u-2", "gone", "u-1"}, "list": {"cols=email%2Cchanged&q=zz"}}, "u-2 gone u-1", 4, "resellers.csv map[user:3] 3"},
		{"all that match, by the form", "/resellers.csv", url.Values{"user": {"u-1"}, "all": {"1"}, "list": {"on=open_api"}}, "u-2", 48, "resellers.csv map[on:open_api] 1"},
		{"none", "/resellers.csv?q=zzzz", nil, "", 48, "resellers.csv map[q:zzzz] 0"},
		{"the form without a tick", "/resellers.csv", url.Values{"list": {"q=u-1"}}, "u-1", 48, "resellers.csv map[q:u-1] 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.exports = nil
			rows, _ := s.get(t, "en", tt.target, tt.form)
			var ids []string
			for _, row := range rows[1:] {
				ids = append(ids, row[0])
			}
			if got := strings.Join(ids, " "); got != tt.ids || len(rows[0]) != tt.heads {
				t.Errorf("has %q in %d columns, want %q in %d", got, len(rows[0]), tt.ids, tt.heads)
			}
			if got := strings.Join(s.exports, "; "); got != tt.recorded {
				t.Errorf("recorded %q, want %q", got, tt.recorded)
			}
		})
	}
}

func TestResellersCSV_refused(t *testing.T) {
	s := newShelf(t, evilAccounts()...)
	s.refuse = errors.New("the log is full")
	w := httptest.NewRecorder()
	if err := s.ask(t, w, "en", "/resellers.csv", nil); !errors.Is(err, s.refuse) || w.Body.Len() > 0 {
		t.Errorf("without a record %d bytes left (%v)", w.Body.Len(), err)
	}
}

// fullPipe takes so many bytes and no more.
type fullPipe struct {
	*writer
	left int
}

func (p *fullPipe) Write(b []byte) (int, error) {
	if p.left -= len(b); p.left < 0 {
		return 0, errors.New("the pipe is full")
	}
	return p.writer.Write(b)
}

// A file that breaks off is cut by web, which a panic asks for: nobody takes a part
// for the whole. Before that it went piece by piece.
func TestResellersCSV_breaksOff(t *testing.T) {
	var list []wave.Reseller
	for i := range 2000 {
		list = append(list, accountOf(fmt.Sprintf("u-%04d", i)))
	}
	s := newShelf(t, list...)
	d := &desk{t: t}
	w := &fullPipe{&writer{httptest.NewRecorder(), d}, 400_000}
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "the pipe is full") {
			t.Errorf("the answer ended as if it were whole: %v", p)
		}
		if d.deadlines < 2 || !w.Flushed {
			t.Errorf("%d pieces were sent", d.deadlines)
		}
	}()
	_ = s.ask(t, w, "en", "/resellers.csv", nil)
}

// Through the whole site, by a viewer: the link of the page, and the form.
func TestResellersCSV_site(t *testing.T) {
	s := testkit.Start(t, testkit.Options{Accounts: 60})
	c := s.SignedIn(t, testkit.Viewer)
	p := c.Get("/resellers?on=usage_group&size=25")
	href, _ := p.Find("#export").Attr("href")
	file := c.Get(href)
	wantStatus(t, file, http.StatusOK)
	total := p.Find("#selection").AttrOr("data-total", "")
	if got := fmt.Sprint(strings.Count(file.Body, "\r\n") - 1); got != total {
		t.Errorf("%s has %s accounts, the page says %s", href, got, total)
	}
	form := fields(t, p.Find("#selection"))
	form["user"] = []string{p.Find("input[name=user]").AttrOr("value", "")}
	file = c.Post("/resellers.csv", form)
	if file.Status != http.StatusOK || strings.Count(file.Body, "\r\n") != 2 {
		t.Errorf("one that is ticked: %d with %d lines", file.Status, strings.Count(file.Body, "\r\n"))
	}
}
