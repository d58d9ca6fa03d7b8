package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"waveadmin/handlers"
	"waveadmin/internal/auth"
	"waveadmin/internal/fault"
	"waveadmin/internal/hx"
	"waveadmin/internal/i18n"
	"waveadmin/views"
)

// handlerFunc answers a request, or returns an error without having written.
type handlerFunc func(w http.ResponseWriter, r *http.Request) error

// answer is how a kind of fault is answered.
type answer struct {
	status int
	level  slog.Level // of the line in the log
	retry  bool       // whether the page offers to try again
}

// answers has every kind. Our own failures and those that an operator must mend
// are errors in the log; what a person did is not.
var answers = map[fault.Kind]answer{
	fault.Internal:        {http.StatusInternalServerError, slog.LevelError, true},
	fault.Invalid:         {http.StatusUnprocessableEntity, slog.LevelInfo, false},
	fault.NotFound:        {http.StatusNotFound, slog.LevelInfo, false},
	fault.Unauthenticated: {http.StatusUnauthorized, slog.LevelInfo, false},
	fault.Forbidden:       {http.StatusForbidden, slog.LevelWarn, false},
	fault.Conflict:        {http.StatusConflict, slog.LevelInfo, false},
	fault.TooLarge:        {http.StatusRequestEntityTooLarge, slog.LevelInfo, false},
	// Both with Retry-After if the API named a time: nothing was done.
	fault.Unavailable: {http.StatusServiceUnavailable, slog.LevelWarn, true},
	fault.Busy:        {http.StatusServiceUnavailable, slog.LevelWarn, true},
	// Wave understood and refused what the person asked for.
	fault.Rejected: {http.StatusUnprocessableEntity, slog.LevelWarn, false},
	// The fault lies between us and Wave. Uncertain is no 504, which invites
	// proxies and people to send the write again.
	fault.Denied:    {http.StatusBadGateway, slog.LevelError, false},
	fault.Uncertain: {http.StatusBadGateway, slog.LevelWarn, false},
}

// refusal is an answer of HTTP itself for which there is no kind of fault.
type refusal struct {
	status int
	say    string // catalogue key; its title is say + ".title"
}

func (e refusal) Error() string { return http.StatusText(e.status) }

// handle runs h with its path values decoded and answers for the error that it
// returns.
func (s *site) handle(h handlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := decodePathValues(r)
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	}
}

// Fail returns what answers errors outside of a handler, such as of a session
// that cannot be looked up, as it answers those of a handler.
func Fail(log *slog.Logger) func(http.ResponseWriter, *http.Request, error) {
	return (&site{log: log}).fail
}

// fail logs err once, in full, and shows one sentence that gives nothing away:
// in the form that brought it, else as a toast under htmx, else as a page.
// A client that left is not answered, and that it left is not logged.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, auth.ErrProofNeeded) {
		asked, ok := errors.AsType[*handlers.ProofError](err)
		if !ok {
			asked = &handlers.ProofError{Back: s.pageOf(r)}
		}
		s.askForProof(w, r, asked.Back, asked.Keep)
		return
	}
	ctx := r.Context()
	gone := ctx.Err() != nil
	if gone && errors.Is(err, context.Canceled) {
		return
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = fault.New(fault.TooLarge, tooLarge)
	}

	a, sentence, title := describe(err)
	s.log.LogAttrs(ctx, a.level, "request failed",
		slog.String("request_id", RequestID(ctx)),
		slog.String("method", r.Method),
		slog.String("route", chi.RouteContext(ctx).RoutePattern()),
		slog.Int("status", a.status),
		slog.Any("err", err))
	s.tellRefused(r, a.status)
	if gone {
		return
	}

	if f, ok := errors.AsType[*fault.Error](err); ok && f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	text := i18n.T(ctx, sentence.Key, sentence.Args...)
	if form, ok := errors.AsType[*handlers.FormError](err); ok {
		p := &views.FailureProps{Sentence: text}
		if a.status >= 500 {
			p.RequestID = RequestID(ctx)
		}
		if hx.WantsFragment(r) {
			hx.SwapAnyway(w)
		}
		s.show(w, r, a.status, form.Form(p))
		return
	}
	if hx.WantsFragment(r) {
		if a.status >= 500 {
			text = i18n.T(ctx, "error.with_id", "sentence", text, "id", RequestID(ctx))
		}
		hx.Toast(w, "error", text)
		hx.Reswap(w, "none") // a 409 or 422 is swapped otherwise, and this one is empty
		w.Header().Add("Vary", hx.Vary)
		w.WriteHeader(a.status)
		return
	}
	p := views.ErrorProps{
		Status:    a.status,
		Title:     i18n.T(ctx, title),
		Sentence:  text,
		RequestID: RequestID(ctx),
		SignedIn:  auth.ActorFrom(ctx).MayRead(),
		Retry:     a.retry && r.Method == http.MethodGet,
	}
	if r.URL.Path == callbackPath {
		offerSignIn(&p, err)
	}
	s.show(w, r, a.status, views.ErrorPage(p))
}

// offerSignIn lets p lead into a new attempt: the callback that failed is used
// up. Who is not let in may be someone else as well, and a provider with single
// sign-on would not ask.
func offerSignIn(p *views.ErrorProps, err error) {
	p.Retry, p.RetryURL = true, signInURL(views.HomeURL)
	if refused, ok := errors.AsType[*auth.ProofRefused](err); ok {
		p.Retry, p.RetryURL, p.OtherURL = true, proofURL(refused.Back), proofURL(refused.Back)+"&prompt=login"
		return
	}
	if fault.Is(err, fault.Forbidden) {
		p.OtherURL = views.SignInURL + "?prompt=login"
	}
}

// tellRefused tells of a write that is refused for who asks, or from where.
func (s *site) tellRefused(r *http.Request, status int) {
	if s.refused != nil && !safe(r.Method) && (status == http.StatusUnauthorized || status == http.StatusForbidden) {
		s.refused(r.Context(), r.Method, r.URL.EscapedPath(), status)
	}
}

// show writes c, or if that fails too, the bare status.
func (s *site) show(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	if err := views.Render(w, r, status, c); err != nil {
		s.log.ErrorContext(r.Context(), "error page failed", "request_id", RequestID(r.Context()), "err", err)
		http.Error(w, http.StatusText(status), status)
	}
}

// describe returns how to answer err, what to say, and the key of the title: that
// of the sentence if it has one, else that of the kind.
func describe(err error) (a answer, sentence fault.Text, title string) {
	if ref, ok := errors.AsType[refusal](err); ok {
		return answer{ref.status, slog.LevelWarn, false}, fault.Say(ref.say), ref.say + ".title"
	}
	kind := fault.KindOf(err)
	sentence = fault.SentenceOf(err)
	if title = sentence.Key + ".title"; !i18n.Has(i18n.Languages[0], title) {
		title = "error." + kind.String() + ".title"
	}
	return answers[kind], sentence, title
}

// recover turns a panic into a 500 with its stack in the log. A response that
// has begun cannot be mended: its connection is cut, so that nobody takes it for
// whole.
func (s *site) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			err := fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			if ww, ok := w.(middleware.WrapResponseWriter); ok && ww.Status() != 0 {
				s.log.ErrorContext(r.Context(), "response cut", "request_id", RequestID(r.Context()), "err", err)
				panic(http.ErrAbortHandler)
			}
			s.fail(w, r, err)
		}()
		next.ServeHTTP(w, r)
	})
}

func notFound(http.ResponseWriter, *http.Request) error { return fault.New(fault.NotFound, nil) }

// methodNotAllowed names in Allow what the address does take.
func methodNotAllowed(w http.ResponseWriter, r *http.Request) error {
	rc := chi.RouteContext(r.Context())
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if rc.Routes.Match(chi.NewRouteContext(), method, r.URL.EscapedPath()) {
			w.Header().Add("Allow", method)
		}
	}
	return refusal{http.StatusMethodNotAllowed, "error.method"}
}
