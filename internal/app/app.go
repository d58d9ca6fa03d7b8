// Package app builds the program from its settings. It is the one place where
// the parts meet: serve, the demo and the tests of the whole site use it.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"waveadmin/handlers"
	"waveadmin/internal/audit"
	"waveadmin/internal/auth"
	"waveadmin/internal/bulk"
	"waveadmin/internal/change"
	"waveadmin/internal/config"
	"waveadmin/internal/db"
	"waveadmin/internal/i18n"
	"waveadmin/internal/pace"
	"waveadmin/internal/presence"
	"waveadmin/internal/preset"
	"waveadmin/internal/reseller"
	"waveadmin/internal/savedview"
	"waveadmin/internal/wave"
	"waveadmin/internal/waveapi"
	"waveadmin/web"
)

// ErrUsage marks an error about what was typed on the command line.
var ErrUsage = errors.New("wrong usage")

// Options are what the settings do not say. The zero Options is right for a
// server that nobody probes.
type Options struct {
	Log       *slog.Logger      // nil for none
	Now       func() time.Time  // nil for time.Now
	Transport http.RoundTripper // towards the Wave API; nil for the client's own
	Listener  net.Listener      // instead of server.listen; Run closes it
	Notice    time.Duration     // from "not ready" to no new connections, such as NoticeTime; 0 for none
}

// App is the program, built but not yet at work.
type App struct {
	cfg      config.Config
	log      *slog.Logger
	listener net.Listener
	notice   time.Duration

	db        *db.DB
	audit     *audit.Log
	ledger    *change.Ledger
	wave      *waveapi.Client
	directory *reseller.Directory
	watcher   *reseller.Watcher
	service   *reseller.Service
	presence  *presence.Store
	views     *savedview.Store
	plans     *bulk.Plans
	runs      *bulk.Runs
	presets   *preset.Store
	auth      *auth.Auth
	handler   http.Handler
	ops       http.Handler

	stopping atomic.Bool
	ending   chan struct{} // closed when answers that go on have to end
	end      func()
	close    func() error
}

// New builds an App from settings that config accepted. It opens the database
// and brings its tables up to date, but calls neither the Wave API nor the
// provider: both may be away when the program starts. Close frees what it holds.
func New(ctx context.Context, cfg config.Config, o Options) (_ *App, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	public, err := url.Parse(cfg.Server.PublicURL)
	if err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, log: o.Log, listener: o.Listener, notice: o.Notice}
	a.close = sync.OnceValue(a.free)
	a.ending = make(chan struct{})
	a.end = sync.OnceFunc(func() { close(a.ending) })
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()

	if a.db, err = db.Open(ctx, cfg.Database.URL.Reveal()); err != nil {
		return nil, err
	}
	if err = a.db.Migrate(ctx); err != nil {
		return nil, err
	}
	if a.audit, err = newAudit(ctx, a.db, cfg, o); err != nil {
		return nil, err
	}
	if a.wave, err = waveapi.New(waveOptions(cfg.Wave, a.db, o)); err != nil {
		return nil, err
	}
	a.ledger, err = change.NewLedger(ctx, a.db, change.Options{Fold: i18n.Fold, Now: o.Now, Audit: ledgerAudit{a.audit}})
	if err != nil {
		return nil, err
	}
	failed, inDoubt, err := a.ledger.Recover(ctx)
	if err != nil {
		return nil, err
	}
	if failed+inDoubt > 0 {
		o.Log.WarnContext(ctx, "changes were left open by a server that died", "failed", failed, "in_doubt", inDoubt)
	}
	if a.auth, err = auth.New(authConfig(cfg, o, a.audit), a.db); err != nil {
		return nil, err
	}
	a.directory = reseller.NewDirectory(a.wave, reseller.DirectoryOptions{
		MaxAge: cfg.Wave.MaxSnapshotAge, Fold: i18n.Fold, Now: o.Now, Log: o.Log,
	})
	a.watcher = reseller.NewWatcher(a.directory, a.ledger, o.Log)
	a.service = reseller.NewService(a.wave, a.directory, a.ledger, rules(cfg), o.Log, o.Now)

	a.presence = presence.NewStore(a.db, o.Now)
	a.views = savedview.NewStore(a.db, viewAudit{a.audit}, o.Now)
	a.plans = bulk.NewPlans(a.db, a.directory, o.Now)
	a.presets, err = preset.NewStore(ctx, a.db, preset.Options{Fold: i18n.Fold, Now: o.Now, Audit: presetAudit{a.audit}})
	if err != nil {
		return nil, err
	}
	approval, err := approvalOf(cfg.UI)
	if err != nil {
		return nil, err
	}
	a.runs = bulk.NewRuns(a.plans, bulk.RunOptions{
		Service: issuing{a.service, a.presets.Hurry}, Lists: a.directory, Ledger: a.ledger, Roles: a.auth, Presets: a.presets, Audit: runAudit{a.audit},
		Rate: cfg.Wave.RatePerSecond, ReasonRequired: bulkReason(cfg), Log: o.Log,
		Approval: approval,
		Proved:   func(ctx context.Context) bool { return auth.StandingOf(ctx).Recent },
	})

	metrics := web.NewMetrics()
	deps := a.pages()
	deps.Log, deps.Metrics = o.Log, metrics
	deps.PublicURL = public
	a.handler = web.New(deps)
	if public.Scheme == "https" {
		a.handler = handlers.SecureCookies(a.handler)
	}
	a.ops = web.NewOps(o.Log, a.ready, metrics)
	return a, nil
}

func waveOptions(cfg config.Wave, d *db.DB, o Options) waveapi.Options {
	var slots waveapi.Slots // none on SQLite: there is no other server
	if !d.Exclusive() {
		slots = pace.NewRow(d)
	}
	return waveapi.Options{
		BaseURL:       cfg.BaseURL,
		TokenURL:      cfg.TokenURL,
		ClientID:      cfg.ClientID,
		ClientSecret:  cfg.ClientSecret.Reveal(),
		ListMethod:    cfg.ListMethod,
		RatePerSecond: cfg.RatePerSecond,
		Slots:         slots,
		Patient:       reseller.IsPatient,
		Timeout:       cfg.Timeout,
		Log:           o.Log,
		Transport:     o.Transport,
	}
}

func authConfig(cfg config.Config, o Options, events auth.Auditor) auth.Config {
	keys := cfg.Session.Keys()
	return auth.Config{
		Issuer:          cfg.Auth.Issuer,
		ClientID:        cfg.Auth.ClientID,
		ClientSecret:    cfg.Auth.ClientSecret.Reveal(),
		PublicURL:       cfg.Server.PublicURL,
		Scopes:          cfg.Auth.Scopes,
		GroupsClaim:     cfg.Auth.GroupsClaim,
		ViewerGroups:    cfg.Auth.Roles.Viewer,
		EditorGroups:    cfg.Auth.Roles.Editor,
		SigningAlgs:     cfg.Auth.SigningAlgs,
		MinRSABits:      cfg.Auth.MinRSABits,
		AllowedHosts:    cfg.Auth.AllowedHosts,
		StrictAudience:  cfg.Auth.StrictAudience,
		StepUp:          cfg.Auth.StepUp,
		SessionSecret:   keys[0],
		PreviousSecrets: keys[1:],
		Idle:            cfg.Session.Idle,
		Absolute:        cfg.Session.Absolute,
		Log:             o.Log,
		Now:             o.Now,
		Audit:           events,
		Address:         web.ClientAddress,
		Fail:            web.Fail(o.Log),
	}
}

func rules(cfg config.Config) reseller.Rules {
	return reseller.Rules{
		PasswordMin:     cfg.Wave.Password.MinLength,
		PasswordMax:     cfg.Wave.Password.MaxLength,
		StrictConflicts: cfg.UI.Conflict == "strict",
		ReasonRequired:  cfg.UI.RequireReason == "always",
	}
}

// approvalOf returns which bulk runs need a second person. It fails about a flag that
// is not in the catalogue: a slip there would leave one open.
func approvalOf(ui config.UI) (bulk.Approval, error) {
	a := bulk.Approval{All: ui.Approval == "runs"}
	for _, key := range ui.ApprovalFlags() {
		if _, known := wave.Lookup(wave.Key(key)); !known {
			return a, fmt.Errorf("ui.approval: there is no function %q", key)
		}
		a.Flags = append(a.Flags, wave.Key(key))
	}
	return a, nil
}

// bulkReason reports whether a bulk change needs a reason.
func bulkReason(cfg config.Config) bool { return cfg.UI.RequireReason != "never" }

// pages connects the handlers with what they call.
func (a *App) pages() web.Deps {
	password := a.cfg.Wave.Password
	account := &handlers.Account{
		Directory: a.directory, Service: a.service, Changes: a.ledger, Presence: a.presence, Presets: a.presets, Kept: a.auth,
		Confirm: a.cfg.UI.Confirm, ReasonRequired: rules(a.cfg).ReasonRequired,
		Min: password.MinLength, Max: password.MaxLength,
	}
	return web.Deps{
		DefaultLanguage: a.cfg.UI.DefaultLanguage,
		Zone:            a.cfg.UI.Location(),
		TrustedProxies:  a.cfg.Server.TrustedProxies,
		Load:            a.auth.Load,
		KeepForm:        a.auth.KeepForm,
		ActorNow:        a.auth.ActorNow,
		Stopping:        a.ending,
		Ready:           a.ready,
		Refused:         a.audit.WriteRefused,

		SignIn:   &handlers.SignIn{Auth: a.auth, AskFirst: a.cfg.Auth.AskFirst},
		Overview: &handlers.Overview{Directory: a.directory, Ledger: a.ledger, History: a.ledger, Presets: a.presets, Runs: a.plans},
		Resellers: &handlers.Resellers{
			Directory: a.directory, Ledger: a.ledger, Changes: a.service, Presets: a.presets,
			Views: a.views, Exports: exportAudit{a.audit},
		},
		Creation: &handlers.Creation{
			Directory: a.directory, Groups: a.directory, Service: a.service, Presets: a.presets, Log: a.log,
			Min: password.MinLength, Max: password.MaxLength, ReasonRequired: rules(a.cfg).ReasonRequired,
		},
		Import:  &handlers.Import{Directory: a.directory, Groups: a.directory, Presets: a.presets, Plans: a.runs, Exports: exportAudit{a.audit}},
		Account: account,
		Flags:   &handlers.Flags{Directory: a.directory, Ledger: a.ledger, Account: account, Plans: a.runs},
		Compare: &handlers.Compare{Directory: a.directory, Ledger: a.ledger, Presets: a.presets},
		Picker:  &handlers.Picker{Directory: a.directory},
		Changes: &handlers.Changes{Directory: a.directory, History: a.ledger, Service: a.service, Exports: exportAudit{a.audit}},
		Presets: &handlers.Presets{Directory: a.directory, Store: a.presets, Views: a.views, Exports: exportAudit{a.audit}},
		Bulk: &handlers.Bulk{
			Directory: a.directory, Ledger: a.ledger, Plans: a.runs, Looks: bulk.NewLooks(a.plans), Presets: a.presets, Editors: a.presence, Kept: a.auth,
			ReasonRequired: bulkReason(a.cfg), Exports: exportAudit{a.audit},
		},
		Matrix: &handlers.Matrix{
			Directory: a.directory, Ledger: a.ledger, Presets: a.presets, Confirm: a.cfg.UI.Confirm, ReasonRequired: rules(a.cfg).ReasonRequired,
		},
		Sessions: &handlers.Sessions{Auth: a.auth},
		Refresh:  &handlers.Refresh{Directory: a.directory},
		Palette:  &handlers.Palette{Directory: a.directory},
	}
}

// created is what the ledger knows of a creation, for the presets.
func (a *App) created(ctx context.Context, submitID string) (account wave.UserID, over bool, err error) {
	c, ok, err := a.ledger.Submitted(ctx, submitID)
	if err != nil {
		return "", false, err
	}
	if c.State == change.Done {
		account = c.Account
	}
	return account, !ok, nil
}

// Presets returns the presets and their assignments.
func (a *App) Presets() *preset.Store { return a.presets }

// Handler returns the whole site, for a listener that is not Run's.
func (a *App) Handler() http.Handler { return a.handler }

// Ops returns health, metrics and profiles, which are not for the public.
func (a *App) Ops() http.Handler { return a.ops }

// Work keeps the accounts fresh, settles changes in doubt, does bulk runs, records what is done
// outside, hears of other servers and anchors the audit log until ctx ends. Run
// does it too; who serves Handler by other means calls it once.
func (a *App) Work(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { a.directory.Run(ctx) })
	wg.Go(func() { a.service.Run(ctx) })
	wg.Go(func() { a.watcher.Run(ctx) })
	wg.Go(func() { a.runs.Work(ctx) })
	wg.Go(func() { a.ledger.Follow(ctx, a.log, a.service.Heard) })
	wg.Go(func() { a.ledger.Hurried(ctx, a.log, a.service.Hurried) })
	wg.Go(func() { a.presets.Follow(ctx, a.log) })
	wg.Go(func() { a.presets.KeepPromises(ctx, a.log, a.created) })
	wg.Go(func() { a.audit.Run(ctx) })
	wg.Wait()
	a.audit.Anchor(context.WithoutCancel(ctx)) // of the last outcome, too
}

// Close frees what New took. The handlers answer nothing useful after it. Calling
// it again does nothing and returns the same.
func (a *App) Close() error { return a.close() }

func (a *App) free() error {
	if a.directory != nil {
		a.directory.Close()
	}
	if a.wave != nil {
		a.wave.Close()
	}
	if a.db != nil {
		return a.db.Close()
	}
	return nil
}

var errStopping = errors.New("the server is stopping")

// ready says why requests should go elsewhere. The Wave API is not asked: pages
// answer from the last snapshot while it is away.
func (a *App) ready(ctx context.Context) error {
	if a.stopping.Load() {
		return errStopping
	}
	if err := a.db.Ping(ctx); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if err := a.auth.Ready(ctx); err != nil {
		return fmt.Errorf("sign-in: %w", err)
	}
	return nil
}
