package reseller

import (
	"time"

	"waveadmin/internal/wave"
)

// SortKey is a column to sort by. Its values are those of the query parameter.
type SortKey string

const (
	ByEmail        SortKey = "email"
	ByBillingGroup SortKey = "billing_group"
	ByRegistered   SortKey = "registered"
	ByUpdated      SortKey = "updated"
	ByChanged      SortKey = "changed" // last change through this program
	ByFlagsOn      SortKey = "flags_on"
	ByCompany      SortKey = "company_id"
	ByPassword     SortKey = "password_updated"
	ByDrift        SortKey = "drift" // flags that differ from the account's preset
)

// SortKeys are all of them.
var SortKeys = []SortKey{
	ByEmail, ByBillingGroup, ByCompany, ByRegistered, ByUpdated, ByPassword, ByFlagsOn, ByDrift, ByChanged,
}

// NoPreset as Query.Preset selects the accounts that follow none.
const NoPreset = "none"

// Query selects and orders accounts. The zero Query is all of them by email.
type Query struct {
	Text            string     // words, all of which must occur, folded, in the account's search text
	On, Off         []wave.Key // flags that must be on, or off (unset and odd count as off)
	NeverRegistered bool
	ChangedSince    time.Time // last change through this program; zero for any
	Unusual         bool      // flawed records, odd values, unknown flags
	Preset          string    // ID of the preset that accounts follow, or NoPreset; empty for any
	Drift           bool      // only accounts that differ from their preset
	Presets         Presets   // for Preset, Drift and ByDrift; nil when there are none
	Sort            SortKey
	Desc            bool
	Page            int // from 1; past the end gives the last page
	Size            int // rows a page
}

// Result is one page of what a Query selects.
type Result struct {
	Rows  []wave.Reseller
	Total int // accounts selected, over all pages
	Page  int // the page that Rows is, from 1
	Pages int // at least 1
}
