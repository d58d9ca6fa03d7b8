package handlers

import (
	"net/http"
	"net/url"

	"waveadmin/internal/i18n"
	"waveadmin/views"
)

// KeptForms is the part of auth.Auth that pages need on which something was typed before
// their person had to prove again who they are.
type KeptForms interface {
	TakeForm(w http.ResponseWriter, r *http.Request) url.Values
}

// A ProofError says that the person first has to prove again who they are, and then
// comes back to the page at Back with what they typed there. Nothing was done. Web
// leads the way.
type ProofError struct {
	Back string
	Keep url.Values
	Err  error
}

func (e *ProofError) Error() string { return e.Err.Error() }

func (e *ProofError) Unwrap() error { return e.Err }

// proveFirst leads back to the preview of a plan, with what was typed in these fields of
// it. The boxes are stored with the plan.
func proveFirst(r *http.Request, planID string, err error, fields ...string) error {
	keep := url.Values{}
	for _, name := range fields {
		keep[name] = []string{r.PostFormValue(name)}
	}
	back := views.BulkQuery{PlanID: planID, Show: r.PostFormValue("show"), Page: max(1, number(r.PostFormValue("page")))}
	return &ProofError{Back: back.URL(), Keep: keep, Err: err}
}

// provedNotice tells who has come back that nothing was done yet.
func provedNotice(r *http.Request) *views.NoticeProps {
	return &views.NoticeProps{Level: "warning", Sentence: i18n.T(r.Context(), "proof.back")}
}
