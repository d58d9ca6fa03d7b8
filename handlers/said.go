package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"waveadmin/internal/i18n"
	"waveadmin/views"
)

// saidCookie keeps what was just done for the page after a redirect, where no
// change of the ledger says it.
const saidCookie = "said"

// sayings are the sentences that it may hold: each about a number of things, or
// none. A forged one can at most say one of these.
var sayings = []string{
	"preset.done_created", "preset.done_saved", "preset.done_nothing", "preset.done_deleted", "preset.done_for_new",
	"preset.done_assigned", "preset.done_unassigned", "preset.done_imported", "view.saved", "view.deleted",
	"sessions.ended",
}

// sayNext keeps one of sayings, about count things, for the next page.
func sayNext(w http.ResponseWriter, r *http.Request, key string, count int) {
	cookie := newFlashCookie(r.Context(), url.Values{"say": {key}, "count": {strconv.Itoa(count)}}.Encode(), 60)
	cookie.Name = saidCookie
	http.SetCookie(w, cookie)
}

// saidNotice returns what was kept, once, or nil.
func saidNotice(w http.ResponseWriter, r *http.Request) *views.NoticeProps {
	cookie, err := r.Cookie(saidCookie)
	if err != nil || cookie.Value == "" {
		return nil
	}
	gone := newFlashCookie(r.Context(), "", -1)
	gone.Name = saidCookie
	http.SetCookie(w, gone)
	v, err := url.ParseQuery(cookie.Value)
	if err != nil || !slices.Contains(sayings, v.Get("say")) {
		return nil
	}
	return &views.NoticeProps{Level: "success", Sentence: i18n.T(r.Context(), v.Get("say"), "count", number(v.Get("count")))}
}
