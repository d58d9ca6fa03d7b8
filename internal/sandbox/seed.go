package sandbox

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"waveadmin/internal/wave"
)

// The times of seeded accounts lie between these, so that a seed gives the same
// accounts on every day.
var (
	seedFrom = time.Date(2019, 4, 1, 9, 0, 0, 0, jst)
	seedTo   = time.Date(2026, 10, 30, 18, 0, 0, 0, jst)
)

// Two accounts are out of the ordinary, when there are so many.
const (
	newerAccount = 7  // has a 36th flag
	oddAccount   = 11 // has a flag whose value is a string
)

// seed makes n accounts and the billing groups that have none yet. The first
// accounts of a seed are the same for every n.
func seed(seed uint64, n int) (accounts []wave.Reseller, spare []wave.BillingGroup) {
	m := maker{
		rng:   rand.New(rand.NewPCG(seed, 1)),
		slugs: make(map[string]int),
		ids:   make(map[string]bool, n),
	}
	accounts = make([]wave.Reseller, 0, n)
	for len(accounts) < n {
		c := m.company()
		plan := m.plan()
		for i := range m.accountsOfCompany() {
			if len(accounts) == n {
				break
			}
			accounts = append(accounts, m.account(len(accounts), c, plan, i))
		}
	}
	m.rng = rand.New(rand.NewPCG(seed, 2))
	for range 3 + n/20 {
		spare = append(spare, m.company().group)
	}
	return accounts, spare
}

// maker makes up companies and accounts, none twice.
type maker struct {
	rng   *rand.Rand
	slugs map[string]int  // how many companies have the slug
	ids   map[string]bool // user and company ids
	count int             // of companies
}

type company struct {
	group  wave.BillingGroup
	domain string
	since  time.Time
}

// chance is true in percent of 100 cases.
func (m *maker) chance(percent int) bool { return m.rng.IntN(100) < percent }

func pick[T any](m *maker, list []T) T { return list[m.rng.IntN(len(list))] }

func (m *maker) company() company {
	var name, slug string
	if m.chance(70) {
		s, trade := pick(m, japaneseStems), pick(m, japaneseTrades)
		slug = s.slug + "-" + trade.slug
		switch name = s.name + trade.name; m.rng.IntN(10) {
		case 0:
			name = "合同会社" + name
		case 1, 2, 3:
			name += "株式会社"
		default:
			name = "株式会社" + name
		}
	} else {
		s, trade := pick(m, englishStems), pick(m, englishTrades)
		name, slug = s.name+" "+trade.name, s.slug+"-"+trade.slug
	}
	if m.chance(15) {
		b := pick(m, branches)
		name, slug = name+" "+b.name, b.slug+"."+slug
	}
	m.slugs[slug]++
	if n := m.slugs[slug]; n > 1 {
		// A branch is a subdomain: the number goes to the label in front.
		name, slug = fmt.Sprintf("%s（%d）", name, n), fmt.Sprintf("g%d.%s", n, slug)
	}
	m.count++
	return company{
		group:  wave.BillingGroup{CompanyID: m.id(12), ID: fmt.Sprintf("BG%06d", 1000+m.count*7), Name: name},
		domain: slug + "." + pick(m, domains),
		since:  m.between(seedFrom, seedTo),
	}
}

// accountsOfCompany returns how many logins a customer has: mostly one.
func (m *maker) accountsOfCompany() int {
	switch n := m.rng.IntN(100); {
	case n < 70:
		return 1
	case n < 90:
		return 2
	default:
		return 3 + n%4
	}
}

// account makes account n of all, which is number i of its company.
func (m *maker) account(n int, c company, plan wave.Meta, i int) wave.Reseller {
	mailbox := pick(m, mailboxes)
	if i > 0 {
		mailbox = fmt.Sprintf("%s%d", mailbox, i+1)
	}
	a := wave.Reseller{
		UserID:       wave.UserID(m.id(16)),
		Email:        mailbox + "@" + c.domain,
		BillingGroup: c.group,
		Registered:   c.since,
	}
	if i > 0 {
		a.Registered = m.between(c.since, seedTo)
	}
	// The API added these two after the others: an old account that nobody
	// changed since has none.
	old := a.Registered.Before(time.Date(2021, 1, 1, 0, 0, 0, 0, jst)) && m.chance(25)
	if !old && m.chance(60) {
		a.Updated = m.between(a.Registered, seedTo)
	}
	if m.chance(30) {
		a.PasswordUpdated = m.between(a.Registered, seedTo)
	}
	if m.chance(3) {
		a.Registered, a.PasswordUpdated = time.Time{}, time.Time{} // issued, and the customer never came
	}
	a.Meta = m.deviate(plan)
	if old {
		a.Meta = without(without(a.Meta, "budgetalerts"), "aqua_link")
	}
	switch n {
	case newerAccount:
		a.Meta = a.Meta.WithRaw("carbon_report", []byte("true"))
	case oddAccount:
		a.Meta = a.Meta.WithRaw("open_api", []byte(`"true"`))
	}
	return a
}

// Plans are what a reseller sells: each has its flags on besides the defaults.
var (
	basicPlan    = plan()
	standardPlan = plan("report_filters", "invoice", "invoice_download_csv_merged", "ri_utilization",
		"sp_purchased", "usage_account_menu_budget", "usage_account_menu_budget_edit", "budgetalerts")
	financePlan = plan("invoice", "invoice_download_csv_merged", "invoice_download_csv_discount",
		"usage_account_menu_fees_fee", "usage_account_menu_fees_credit", "usage_account_menu_fees_refund",
		"usage_account_menu_fees_other_fees", "users_management")
	fullPlan = plan(catalogue()...)
)

func plan(on ...wave.Key) wave.Meta {
	m := wave.Defaults()
	for _, key := range on {
		m = m.With(key, true)
	}
	return m
}

func catalogue() []wave.Key {
	var keys []wave.Key
	for _, f := range wave.Flags {
		keys = append(keys, f.Key)
	}
	return keys
}

func (m *maker) plan() wave.Meta {
	switch n := m.rng.IntN(100); {
	case n < 40:
		return basicPlan
	case n < 75:
		return standardPlan
	case n < 88:
		return financePlan
	}
	return fullPlan
}

// deviate gives some accounts an agreement of their own: one to three flags the
// other way, and no child on below a parent that is off.
func (m *maker) deviate(meta wave.Meta) wave.Meta {
	if !m.chance(40) {
		return meta
	}
	for range 1 + m.rng.IntN(3) {
		f := pick(m, wave.Flags)
		on := !meta.On(f.Key)
		if on && f.Parent != "" {
			meta = meta.With(f.Parent, true)
		}
		meta = meta.With(f.Key, on)
		for _, child := range wave.Children(f.Key) {
			meta = meta.With(child, on && meta.On(child))
		}
	}
	return meta
}

// between returns a moment from a to b, mostly one of office hours.
func (m *maker) between(a, b time.Time) time.Time {
	days := int(b.Sub(a).Hours() / 24)
	y, month, d := a.AddDate(0, 0, m.rng.IntN(days+1)).Date()
	at := time.Date(y, month, d, 9+m.rng.IntN(10), m.rng.IntN(60), m.rng.IntN(60), 0, jst)
	if at.Before(a) {
		return a
	}
	if at.After(b) {
		return b
	}
	return at
}

// id returns an id of n characters that was not given before.
func (m *maker) id(n int) string {
	for {
		id := alnum(m.rng, n)
		if !m.ids[id] {
			m.ids[id] = true
			return id
		}
	}
}

// alnum returns n letters and digits, the form of the vendor's ids.
func alnum(rng *rand.Rand, n int) string {
	const chars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	for range n {
		b.WriteByte(chars[rng.IntN(len(chars))])
	}
	return b.String()
}
