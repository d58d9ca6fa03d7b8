package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"golang.org/x/text/language"

	"waveadmin/handlers"
	"waveadmin/internal/auth"
	"waveadmin/static"
)

// Deps is what the site is made of. Every field is needed unless it says
// otherwise.
type Deps struct {
	Log             *slog.Logger
	PublicURL       *url.URL                        // where browsers find us; scheme and host count
	DefaultLanguage string                          // of i18n.Languages
	Zone            *time.Location                  // in which times are shown
	TrustedProxies  int                             // in front of us, whose X-Forwarded-For is believed
	Load            func(http.Handler) http.Handler // puts the actor of the session into the context
	Ready           func(context.Context) error     // why requests cannot be served yet; nil when they can
	Metrics         *Metrics                        // nil for none
	// ActorNow looks the session of a request up again, for an answer that goes on: the
	// zero Actor when it is over.
	ActorNow func(r *http.Request) (auth.Actor, error)
	Stopping <-chan struct{} // is closed when answers that go on have to end; nil for never
	// Refused is told of each write that is answered with 401 or 403. Nil for none.
	Refused func(ctx context.Context, method, path string, status int)
	// KeepForm remembers what was typed on the page at path while the person proves again
	// who they are. Nil for nothing.
	KeepForm func(w http.ResponseWriter, r *http.Request, path string, form url.Values)

	SignIn    *handlers.SignIn
	Overview  *handlers.Overview
	Flags     *handlers.Flags
	Resellers *handlers.Resellers
	Creation  *handlers.Creation
	Import    *handlers.Import
	Account   *handlers.Account
	Compare   *handlers.Compare
	Picker    *handlers.Picker
	Changes   *handlers.Changes
	Presets   *handlers.Presets
	Bulk      *handlers.Bulk
	Matrix    *handlers.Matrix
	Sessions  *handlers.Sessions
	Refresh   *handlers.Refresh
	Palette   *handlers.Palette
}

// presencePath is where every open page of an account posts by itself, and progressPath
// where that of a run asks every two seconds when it gets no stream.
const (
	presencePath = "/resellers/{userID}/presence"
	progressPath = "/bulk/{planID}/progress"
)

// New returns the whole site.
func New(d Deps) http.Handler { return newSite(d).handler(d.routes) }

// routes is the whole table. A write stands under editor; a POST under viewer
// changes nothing at Wave.
func (d Deps) routes(g groups) {
	g.signIn.get("/auth/login", d.SignIn.Begin)
	g.signIn.get(callbackPath, d.SignIn.Callback)
	g.anyone.post("/auth/logout", d.SignIn.SignOut)
	g.anyone.get("/auth/signed-out", d.SignIn.SignedOut)
	g.anyone.post(logoutPath, d.SignIn.EndByProvider)

	g.viewer.get("/", d.Overview.Show)
	g.viewer.post("/refresh", d.Refresh.Now)
	g.viewer.get("/palette", d.Palette.Find)
	g.viewer.get("/flags/{key}", d.Flags.Show)
	g.viewer.get("/resellers", d.Resellers.List)
	g.viewer.get("/resellers.csv", d.Resellers.CSV)
	g.viewer.post("/resellers.csv", d.Resellers.CSV)
	g.viewer.post("/views", d.Resellers.SaveView)
	g.viewer.post("/views/{viewID}", d.Resellers.RenameView)
	g.viewer.post("/views/{viewID}/query", d.Resellers.ReplaceView)
	g.viewer.post("/views/{viewID}/delete", d.Resellers.DeleteView)
	g.viewer.get("/resellers/{userID}", d.Account.Show)
	g.viewer.get("/resellers/{userID}/details", d.Account.Details)
	g.viewer.get("/resellers/{userID}/history", d.Account.History)
	g.viewer.get("/compare", d.Compare.Show)
	g.viewer.get("/compare/accounts", d.Picker.Search)
	g.viewer.get("/matrix", d.Matrix.Show)
	g.viewer.get("/changes", d.Changes.List)
	g.viewer.get("/changes.csv", d.Changes.CSV)
	g.viewer.get("/changes.jsonl", d.Changes.JSONLines)
	g.viewer.get("/changes/{changeID}", d.Changes.Show)
	g.viewer.get("/presets", d.Presets.List)
	g.viewer.get("/presets.yaml", d.Presets.Export)
	g.viewer.get("/presets/{presetID}", d.Presets.Show)
	g.viewer.get("/presets/{presetID}/accounts", d.Presets.Accounts)
	g.viewer.get("/presets/{presetID}/versions", d.Presets.History)
	g.viewer.get("/bulk", d.Bulk.List)
	g.viewer.get("/bulk/{planID}", d.Bulk.Show)
	g.viewer.get(progressPath, d.Bulk.Progress)
	g.stream.get("/bulk/{planID}/events", d.Bulk.Events)
	g.viewer.get("/imports/{listID}/problems.csv", d.Import.Problems)
	g.viewer.get("/bulk/{planID}/result.csv", d.Bulk.CSV)
	g.viewer.post(presencePath, d.Account.Ping)
	g.viewer.get("/changes/{changeID}/state", d.Account.State)
	g.viewer.get("/sessions", d.Sessions.List)
	g.viewer.get("/sessions/left", d.Sessions.Left)
	g.viewer.post("/sessions/{key}/end", d.Sessions.End)
	g.viewer.post("/sessions/end-others", d.Sessions.EndOthers)

	g.editor.post("/flags/{key}", d.Flags.Save)
	g.editor.get("/resellers/new", d.Creation.New)
	g.editor.post("/resellers/new", d.Creation.Fill)
	g.editor.get("/resellers/import", d.Import.New)
	g.editor.post("/resellers/import", d.Import.Create)
	g.editor.get("/resellers/import.csv", d.Import.Template)
	g.editor.get("/resellers/check", d.Creation.CheckEmail)
	g.editor.get("/billing-groups", d.Creation.SearchGroups)
	g.editor.post("/resellers", d.Creation.Create)
	g.editor.post("/resellers/{userID}/meta", d.Account.Update)
	g.editor.post("/resellers/{userID}/undo", d.Account.Undo)

	// What cannot be taken back. Bulk runs demand the same by what they do: Start, Approve
	// and Resume of bulk.Runs.
	proved := g.editor.proved("confirm", "input_type", "notification")
	proved.get("/resellers/{userID}/password", d.Account.NewPassword)
	proved.post("/resellers/{userID}/password", d.Account.ReplacePassword)
	proved.get("/resellers/{userID}/delete", d.Account.ConfirmDelete)
	proved.post("/resellers/{userID}/delete", d.Account.Delete)

	g.editor.post("/changes/{changeID}/settle", d.Changes.Settle)
	g.editor.get("/presets/new", d.Presets.New)
	g.editor.get("/presets/import", d.Presets.NewImport)
	g.editor.post("/presets/import", d.Presets.Import)
	g.editor.post("/presets", d.Presets.Create)
	g.editor.post("/presets/{presetID}", d.Presets.Update)
	g.editor.post("/presets/{presetID}/assign", d.Presets.Assign)
	g.editor.post("/presets/{presetID}/unassign", d.Presets.Unassign)
	g.editor.post("/presets/{presetID}/for-new", d.Presets.ChooseForNew)
	g.editor.get("/presets/{presetID}/delete", d.Presets.ConfirmDelete)
	g.editor.post("/presets/{presetID}/delete", d.Presets.Delete)
	g.editor.get("/bulk/new", d.Bulk.New)
	g.editor.post("/bulk/new", d.Bulk.New)
	g.editor.post("/bulk", d.Bulk.Create)
	g.editor.post("/bulk/{planID}/leave", d.Bulk.Leave)
	g.editor.post("/bulk/{planID}/again", d.Bulk.Again)
	g.editor.post("/bulk/{planID}/run", d.Bulk.Run)
	g.editor.post("/bulk/{planID}/approve", d.Bulk.Approve)
	g.editor.post("/bulk/{planID}/pause", d.Bulk.Pause)
	g.editor.post("/bulk/{planID}/resume", d.Bulk.Resume)
	g.editor.post("/bulk/{planID}/cancel", d.Bulk.Cancel)
	g.editor.post("/bulk/{planID}/retry", d.Bulk.Retry)
	g.editor.post("/bulk/{planID}/revert", d.Bulk.Revert)
}

// groups are the levels of access that a route can have. There is no other way
// to register a page, so none is open by accident.
type groups struct {
	anyone group // with the session, if there is one
	signIn group // anyone, but only so often from one address
	viewer group // signed in, may read
	editor group // signed in, may change
	stream group // signed in, may read: an answer that goes on
}

type group struct {
	router chi.Router
	site   *site
}

func (g group) get(pattern string, h handlerFunc)  { g.router.Get(pattern, g.site.handle(h)) }
func (g group) post(pattern string, h handlerFunc) { g.router.Post(pattern, g.site.handle(h)) }

// proved is the part of g in which people must have proved a short time ago who they
// are. Keep names the fields that outlive the way through the provider: no password.
func (g group) proved(keep ...string) group {
	return group{g.router.With(g.site.requireProof(keep)), g.site}
}

// site is what the middleware shares.
type site struct {
	log       *slog.Logger
	publicURL *url.URL
	zone      *time.Location
	matcher   language.Matcher
	languages []string // in the matcher's order, the default first
	proxies   int
	load      func(http.Handler) http.Handler
	keepForm  func(w http.ResponseWriter, r *http.Request, path string, form url.Values)
	actorNow  func(*http.Request) (auth.Actor, error)
	stopping  <-chan struct{}
	inFlight  *inFlight // here, since a middleware is made for each route anew
	streams   *streams
	ready     func(context.Context) error
	metrics   *Metrics
	refused   func(ctx context.Context, method, path string, status int)
	signIns   *ration // by address
}

func newSite(d Deps) *site {
	matcher, languages := newMatcher(d.DefaultLanguage)
	return &site{
		log: d.Log, publicURL: d.PublicURL, zone: d.Zone,
		matcher: matcher, languages: languages, proxies: d.TrustedProxies,
		load: d.Load, keepForm: d.KeepForm, actorNow: d.ActorNow, stopping: d.Stopping,
		inFlight: &inFlight{slots: make(map[auth.Actor]*slots)}, streams: &streams{open: make(map[auth.Actor]int)},
		ready: d.Ready, metrics: d.Metrics, refused: d.Refused,
		signIns: newRation(signInEvery, signInBurst),
	}
}

func (s *site) overTLS() bool { return s.publicURL.Scheme == "https" }

func (s *site) handler(register func(groups)) http.Handler {
	r := chi.NewRouter()
	// From the outside in. What stands above sees the answers of all below.
	r.Use(
		routeOnEscapedPath,       // before chi looks at the path
		withRequestID,            // every line and every answer has it
		clientAddress(s.proxies), // for the log and the ration
		s.observe,                // counts refusals and panics too
		headers(s.overTLS()),     // on refusals and panics too
		s.preferences,            // refusals are in the person's language
		s.recover,                // outside of all that can fail
		s.checkHost,
		s.checkOrigin,
		s.switchPreferences, // not for strangers
		middleware.GetHead,
	)
	r.NotFound(s.load(s.handle(notFound)).ServeHTTP)
	r.MethodNotAllowed(s.load(s.handle(methodNotAllowed)).ServeHTTP)

	r.Get("/healthz", healthz)
	r.Get("/readyz", readyz(s.log, s.ready))
	r.Post(reportPath, s.reports())
	r.Handle(static.Prefix+"*", static.Handler())
	r.Get("/favicon.ico", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, static.URL("icons/favicon.svg"), http.StatusFound)
	})

	packed := r.With(
		newCompressor(), // inside of observe, which counts the bytes sent
		s.load,
	)
	session := packed.With(
		s.limitInFlight, // needs to know who asks
		s.readForm,
	)
	register(groups{
		anyone: group{session, s},
		signIn: group{session.With(s.rationSignIn), s},
		viewer: group{session.With(s.requireRole(auth.Viewer)), s},
		editor: group{session.With(s.requireRole(auth.Editor)), s},
		stream: group{packed.With(s.requireRole(auth.Viewer), s.stream), s},
	})
	return r
}
