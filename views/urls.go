package views

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"waveadmin/internal/wave"
)

// This file and listquery.go are the only places that build addresses of ours.

const (
	HomeURL       = "/"
	ResellersURL  = "/resellers"
	NewURL        = "/resellers/new"
	SignOutURL    = "/auth/logout"
	SignedOutURL  = "/auth/signed-out"
	SignInURL     = "/auth/login"
	RefreshURL    = "/refresh"
	GroupsURL     = "/billing-groups"
	EmailCheckURL = "/resellers/check"
	ChangesURL    = "/changes"
	ComparePath   = "/compare"
	PickURL       = "/compare/accounts" // what a field for an account offers
	MatrixURL     = "/matrix"
	BulkListURL   = "/bulk"
	BulkNewURL    = "/bulk/new"
	PresetsURL    = "/presets"
	PaletteURL    = "/palette"
	ViewsURL      = "/views"
	SessionsURL   = "/sessions"
	// SessionLeftURL answers how long the session of who asks goes on.
	SessionLeftURL = "/sessions/left"

	SessionsOthersURL = "/sessions/end-others"

	PresetNewURL    = "/presets/new"
	PresetImportURL = "/presets/import"
	PresetFileURL   = "/presets.yaml"

	ImportURL = "/resellers/import" // accounts from a file
)

// SessionEndURL takes the post that ends one of the person's own sessions.
func SessionEndURL(key string) string { return SessionsURL + "/" + url.PathEscape(key) + "/end" }

// BulkNewFor returns the form for a bulk change of the accounts that form names by their
// ids, or as all that a list shows. It is false for a form that says more than that and
// what the change begins with: an address is no place for what was typed.
func BulkNewFor(form url.Values) (string, bool) {
	v := url.Values{}
	for name, values := range form {
		switch name {
		case AsField, "user", "users", "list":
		case "what", "preset", "all":
			v[name] = values
		default:
			return "", false
		}
	}
	if v.Get("all") == "1" {
		v["list"] = form["list"]
	} else {
		v.Set("users", strings.Join(append(slices.Clone(form["user"]), form["users"]...), "\n"))
	}
	return withQuery(BulkNewURL, v), true
}

// BulkURL returns the page of a bulk change: its preview, then its run.
func BulkURL(planID string) string { return BulkListURL + "/" + url.PathEscape(planID) }

// BulkSteeredURL returns the page of a run for who has just paused it or the like: they
// go on from its title, shortly before its buttons, which come and go.
func BulkSteeredURL(planID string) string { return BulkURL(planID) + "#bulk-title" }

// BulkPartURL returns a part of that page: leave, again, run, pause, resume, cancel,
// retry and revert take posts; result.csv is the file.
func BulkPartURL(planID, part string) string { return BulkURL(planID) + "/" + part }

// BulkQuery is what a page of a bulk change shows of its accounts, all of which
// stands in the address.
type BulkQuery struct {
	PlanID string
	Show   string // a filter; empty for all
	Page   int    // from 1
}

// URL returns the address of the view.
func (q BulkQuery) URL() string { return withQuery(BulkURL(q.PlanID), q.values()) }

// ProgressURL returns where the page of a run asks how it goes, and EventsURL where it
// listens to that.
func (q BulkQuery) ProgressURL() string {
	return withQuery(BulkPartURL(q.PlanID, "progress"), q.values())
}

func (q BulkQuery) EventsURL() string { return withQuery(BulkPartURL(q.PlanID, "events"), q.values()) }

func (q BulkQuery) values() url.Values {
	v := url.Values{}
	if q.Show != "" {
		v.Set("show", q.Show)
	}
	if q.Page > 1 {
		v.Set("page", strconv.Itoa(q.Page))
	}
	return v
}

// AtPage returns q at another page, and Showing with another filter at its first.
func (q BulkQuery) AtPage(page int) BulkQuery {
	q.Page = page
	return q
}

func (q BulkQuery) Showing(show string) BulkQuery {
	q.Show, q.Page = show, 1
	return q
}

// ProblemsURL returns the file of all that was wrong with the rows of another one.
func ProblemsURL(list string) string { return "/imports/" + url.PathEscape(list) + "/problems.csv" }

// TemplateURL returns the file of accounts to fill in, with all one that also has a
// column for each function.
func TemplateURL(all bool) string {
	v := url.Values{}
	if all {
		v.Set("functions", "1")
	}
	return withQuery(ImportURL+".csv", v)
}

// AccountURL returns the page of an account, or that of one of its parts:
// details, history, password, delete; meta, undo and presence take posts.
func AccountURL(id wave.UserID, part string) string {
	u := ResellersURL + "/" + url.PathEscape(string(id))
	if part != "" {
		u += "/" + part
	}
	return u
}

// PresetURL returns the page of a preset.
func PresetURL(id string) string { return PresetsURL + "/" + url.PathEscape(id) }

// PresetPartURL returns a part of that page: accounts, versions, delete; assign,
// unassign and for-new take posts.
func PresetPartURL(id, part string) string {
	if part == "" {
		return PresetURL(id)
	}
	return PresetURL(id) + "/" + part
}

// PresetVersionURL returns the page of a preset with an earlier version in the form.
func PresetVersionURL(id string, version int) string {
	return withQuery(PresetURL(id), url.Values{"version": {strconv.Itoa(version)}})
}

// PresetAccountsURL returns a page of the accounts that follow a preset, all of them
// or those that differ.
func PresetAccountsURL(id string, differ bool, page int) string {
	v := url.Values{}
	if differ {
		v.Set("differ", "1")
	}
	if page > 1 {
		v.Set("page", strconv.Itoa(page))
	}
	return withQuery(PresetPartURL(id, "accounts"), v)
}

// PresetCopyURL returns the form for a new preset with what another one says, and
// PresetFromURL with the flags of an account.
func PresetCopyURL(id string) string { return withQuery(PresetNewURL, url.Values{"copy": {id}}) }

func PresetFromURL(id wave.UserID) string {
	return withQuery(PresetNewURL, url.Values{"from": {string(id)}})
}

// FlagURL returns the page of one flag with all accounts.
func FlagURL(key wave.Key) string { return "/flags/" + url.PathEscape(string(key)) }

// DriftURL returns the table of the accounts that differ from their preset, of all
// presets or of the one given.
func DriftURL(presetID string) string { return ListQuery{Preset: presetID, Drift: true}.URL() }

// ViewURL returns where a saved view is changed, and with a part, query or delete,
// where it is replaced or deleted. All take posts.
func ViewURL(id, part string) string {
	u := ViewsURL + "/" + url.PathEscape(id)
	if part != "" {
		u += "/" + part
	}
	return u
}

// UndoURL returns where an undo of a change is posted.
func UndoURL(id wave.UserID, changeID string) string {
	return AccountURL(id, "undo") + "?change=" + url.QueryEscape(changeID)
}

// ChangeURL returns the page of a change, or that of one of its parts: state;
// settle takes posts.
func ChangeURL(changeID, part string) string {
	u := ChangesURL + "/" + url.PathEscape(changeID)
	if part != "" {
		u += "/" + part
	}
	return u
}

// StageUndoURL returns the page of an account where what takes a change back is
// staged, and StageRestoreURL the one where the outcome of a change is.
func StageUndoURL(id wave.UserID, changeID string) string {
	return withQuery(AccountURL(id, ""), url.Values{"undo": {changeID}})
}

func StageRestoreURL(id wave.UserID, changeID string) string {
	return withQuery(AccountURL(id, ""), url.Values{"restore": {changeID}})
}

// DefaultsID is the preset that is built in.
const DefaultsID = "defaults"

// StagePresetURL returns the page of an account where what a preset wants is staged,
// and StageCopyURL the one where the flags of another account are.
func StagePresetURL(id wave.UserID, presetID string) string {
	return withQuery(AccountURL(id, ""), url.Values{"preset": {presetID}})
}

func StageCopyURL(id, from wave.UserID) string {
	return withQuery(AccountURL(id, ""), url.Values{"copy": {string(from)}})
}

// CompareURL returns the page with two accounts side by side, of which either may be
// empty: then it asks for that one.
func CompareURL(a, b wave.UserID) string { return CompareAllURL(a, b, false) }

// CompareAllURL is CompareURL, with all also what is the same.
func CompareAllURL(a, b wave.UserID, all bool) string {
	v := url.Values{}
	if a != "" {
		v.Set("a", string(a))
	}
	if b != "" {
		v.Set("b", string(b))
	}
	if all {
		v.Set("show", "all")
	}
	return withQuery(ComparePath, v)
}

// IssueAgainURL returns the form for a new account, filled in from a change.
func IssueAgainURL(changeID string) string {
	return withQuery(NewURL, url.Values{"from_change": {changeID}})
}

// withQuery returns path with parameters, if there are any.
func withQuery(path string, v url.Values) string {
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// UndoRestURL is UndoURL for who knows that flags were changed since, and leaves
// those.
func UndoRestURL(id wave.UserID, changeID string) string { return UndoURL(id, changeID) + "&left=ok" }

// ChangeStateURL returns the fragment that says where a change stands.
func ChangeStateURL(changeID string) string {
	return ChangeURL(changeID, "state")
}

func joinKeys(keys []wave.Key) string {
	s := make([]string, len(keys))
	for i, key := range keys {
		s[i] = string(key)
	}
	return strings.Join(s, ",")
}

// metaURLOf is where the flags of an account are posted, and flagURLOf the page of a
// flag, with idPlace for which: a script puts it in, escaped.
func metaURLOf() string { return strings.Replace(AccountURL("x", "meta"), "/x/", "/"+idPlace+"/", 1) }
func flagURLOf() string { return FlagURL("") + idPlace }

const idPlace = "{id}"

// MatrixQuery is the state of the matrix, all of which stands in its address: that
// of the reseller table, and which columns are hidden. Sort may be that of a flag.
type MatrixQuery struct {
	ListQuery
	Hidden []wave.Key
}

// MatrixSizes are the rows of a page of the matrix that a person can choose.
var MatrixSizes = []int{25, 50, 100}

// URL returns the address of the view, without what is as by default.
func (q MatrixQuery) URL() string { return q.here(q.ListQuery.URL()) }

// values returns the parameters of the address.
func (q MatrixQuery) values() url.Values {
	u, _ := url.Parse(q.URL()) // it is ours
	return u.Query()
}

// here returns the address in the matrix for one of the reseller table.
func (q MatrixQuery) here(list string) string {
	_, query, _ := strings.Cut(list, "?")
	v, _ := url.ParseQuery(query) // it is ours
	v.Del("cols")                 // the reseller table has others
	v.Del("view")                 // and keeps them
	if len(q.Hidden) > 0 {
		v.Set("hide", joinKeys(q.Hidden))
	}
	return withQuery(MatrixURL, v)
}

// LocalPath returns path if it is an address of ours without a host, else the
// reseller table. It is for addresses that a form brings back.
func LocalPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(path, "/") ||
		strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return ResellersURL
	}
	return path
}
