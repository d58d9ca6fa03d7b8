package sandbox_test

import (
	"encoding/json"
	"net/mail"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/sandbox"
	"waveadmin/internal/wave"
)

func TestSeed_isDeterministicAndStable(t *testing.T) {
	of := func(seed uint64, n int) []wave.Reseller {
		return sandbox.New(sandbox.Options{Accounts: n, Seed: seed}).Accounts()
	}
	same := cmp.Comparer(sameMeta)
	if diff := cmp.Diff(of(1, 200), of(1, 200), same); diff != "" {
		t.Errorf("the same seed twice:\n%s", diff)
	}
	if diff := cmp.Diff(of(1, 50), of(1, 200)[:50], same); diff != "" {
		t.Errorf("the first of more accounts:\n%s", diff)
	}
	if cmp.Equal(of(1, 50), of(2, 50), same) {
		t.Error("two seeds give the same accounts")
	}
}

func TestSeed_accountsAreBelievable(t *testing.T) {
	const n = 2000
	s := sandbox.New(sandbox.Options{Accounts: n, Seed: 1})
	domain := regexp.MustCompile(`^[a-z0-9.-]+\.example\.(com|net|org|co\.jp)$`)
	ids, emails, companies := map[wave.UserID]bool{}, map[string]bool{}, map[string]int{}
	var never, unchanged, unset, unknown, odd, kana, wide, ascii int
	plans := map[int]int{}
	for _, a := range s.Accounts() {
		ids[a.UserID], emails[a.Email] = true, true
		companies[a.BillingGroup.CompanyID]++
		plans[a.Meta.CountOn()]++
		if addr, err := mail.ParseAddress(a.Email); err != nil || addr.Address != a.Email {
			t.Errorf("email %q: %v", a.Email, err)
		}
		if _, host, _ := strings.Cut(a.Email, "@"); !domain.MatchString(host) {
			t.Errorf("email %q is not of a domain for examples", a.Email)
		}
		if a.Registered.IsZero() {
			never++
		} else if !a.Updated.IsZero() && a.Updated.Before(a.Registered) || !a.PasswordUpdated.IsZero() && a.PasswordUpdated.Before(a.Registered) {
			t.Errorf("%s changed before it was registered", a.UserID)
		}
		if a.Updated.IsZero() {
			unchanged++
		}
		for _, f := range wave.Flags {
			if a.Meta.State(f.Key) == wave.Unset {
				unset++
				break
			}
		}
		unknown += len(a.Meta.Unknown())
		if a.Meta.HasOdd() {
			odd++
		}
		switch name := a.BillingGroup.Name; {
		case strings.ContainsAny(name, "アイウエオカナソラｶﾅ"):
			kana++
		case strings.ContainsAny(name, "ＡＫＮ"):
			wide++
		case strings.ContainsAny(name, "K.Ltd"):
			ascii++
		}
	}
	if len(ids) != n || len(emails) != n {
		t.Errorf("%d ids and %d emails are unique, want %d", len(ids), len(emails), n)
	}
	several := 0
	for _, count := range companies {
		if count > 1 {
			several++
		}
	}
	for name, count := range map[string]int{
		"never registered": never, "never changed": unchanged, "with a flag missing": unset,
		"of a company with several": several, "in katakana": kana, "in full width": wide, "in English": ascii,
	} {
		if count == 0 || count > n*2/3 {
			t.Errorf("accounts %s: %d of %d", name, count, n)
		}
	}
	if unknown != 1 || odd != 1 {
		t.Errorf("%d unknown flags and %d odd values, want one each", unknown, odd)
	}
	if len(plans) < 8 {
		t.Errorf("flags on = %v, want more of a mix", plans)
	}
}

func TestSeed_manyAreUnique(t *testing.T) {
	const n = 20_000 // far more than there are names to put together
	s := sandbox.New(sandbox.Options{Accounts: n, Seed: 1})
	ids, emails := map[wave.UserID]bool{}, map[string]bool{}
	for _, a := range s.Accounts() {
		ids[a.UserID], emails[strings.ToLower(a.Email)] = true, true
	}
	if len(ids) != n || len(emails) != n {
		t.Errorf("%d ids and %d emails, want %d", len(ids), len(emails), n)
	}
}

func TestSeed_listIsWhatItSays(t *testing.T) {
	a := start(t, sandbox.Options{Accounts: 300, Seed: 3})
	var got []struct {
		UserID wave.UserID `json:"user_id"`
		Meta   wave.Meta   `json:"meta"`
	}
	if err := json.Unmarshal([]byte(a.list()), &got); err != nil {
		t.Fatal(err)
	}
	for i, account := range a.s.Accounts() {
		if got[i].UserID != account.UserID || !sameMeta(got[i].Meta, account.Meta) {
			t.Errorf("record %d = %+v, want %+v", i, got[i], account)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sandbox.New(sandbox.Options{Accounts: 100_000, Seed: 1})
	}
}
