package sandbox

import (
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"waveadmin/internal/wave"
)

// encode writes a as the list does, with a comma in front. The order of the
// fields and of the flags is that of the API's document.
func encode(a wave.Reseller) []byte {
	b := make([]byte, 0, 1500) // a usual account has 1,400 bytes
	b = append(b, `,{"user_id":`...)
	b = appendString(b, string(a.UserID))
	b = append(b, `,"billinggroup_id":`...)
	b = appendString(b, a.BillingGroup.ID)
	b = append(b, `,"billinggroup_name":`...)
	b = appendString(b, a.BillingGroup.Name)
	b = append(b, `,"email":`...)
	b = appendString(b, a.Email)
	b = append(b, `,"company_id":`...)
	b = appendString(b, a.BillingGroup.CompanyID)
	b = append(b, `,"update_time":`...)
	b = appendTime(b, a.Updated)
	b = append(b, `,"password_update_time":`...)
	b = appendTime(b, a.PasswordUpdated)
	b = append(b, `,"wave_registered":`...)
	b = appendTime(b, a.Registered)
	b = append(b, `,"meta":`...)
	b = appendMeta(b, a.Meta)
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	b, err := jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\uFFFD"))
	if err != nil {
		panic(err) // only of invalid UTF-8
	}
	return b
}

// appendTime writes null for never.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.In(jst).AppendFormat(b, time.RFC3339)
	return append(b, '"')
}

// appendMeta writes the documented flags in the document's order, then whatever
// else m has in the order of its arrival.
func appendMeta(b []byte, m wave.Meta) []byte {
	b = append(b, '{')
	start := len(b)
	field := func(key, raw string) {
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(b, key...)
		b = append(b, raw...)
	}
	plain := true
	for _, f := range fields {
		switch m.State(f.key) {
		case wave.On:
			field(f.quoted, "true")
		case wave.Off:
			field(f.quoted, "false")
		case wave.Odd:
			plain = false
		}
	}
	if plain && len(m.Unknown()) == 0 {
		return append(b, '}')
	}
	for key, raw := range m.All() {
		if _, ok := wave.Lookup(key); !ok || m.State(key) == wave.Odd {
			field(string(appendString(nil, string(key)))+":", raw)
		}
	}
	return append(b, '}')
}

// fields are the flags of the catalogue as the document orders them in its list,
// with their names as JSON. The two that its list lacks come last.
var fields = func() []struct {
	key    wave.Key
	quoted string
} {
	keys := slices.Clone(documented)
	for _, f := range wave.Flags {
		if !slices.Contains(keys, f.Key) {
			keys = append(keys, f.Key)
		}
	}
	var out []struct {
		key    wave.Key
		quoted string
	}
	for _, key := range keys {
		out = append(out, struct {
			key    wave.Key
			quoted string
		}{key, `"` + string(key) + `":`})
	}
	return out
}()

var documented = []wave.Key{
	"aq_coverage_ratio", "aq_ri_management", "aq_ri_sp_instances", "aq_right_sizing",
	"aq_scheduling", "aq_sp_management", "dashboard_graph", "usage_account", "usage_account_graph",
	"usage_account_menu_account_edit", "usage_account_menu_budget", "usage_account_menu_budget_edit",
	"usage_account_menu_fees_fee", "usage_account_menu_fees_credit", "usage_account_menu_fees_refund",
	"usage_account_menu_fees_other_fees", "usage_report_download", "usage_group", "usage_group_graph",
	"usage_tag", "usage_tag_graph", "usage_crosstag", "usage_crosstag_graph", "ri_purchased",
	"ri_utilization", "ri_recommendation", "sp_purchased", "invoice", "invoice_download_csv_discount",
	"invoice_download_csv_merged", "open_api", "users_management", "report_filters",
}
