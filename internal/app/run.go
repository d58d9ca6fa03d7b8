package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"waveadmin/web"
)

// NoticeTime is how long a server that stops goes on to serve, so that what
// probes /readyz can send requests elsewhere before they are refused.
const NoticeTime = 2 * time.Second

const (
	drainTime  = 20 * time.Second // for requests that are being answered
	settleTime = 15 * time.Second // for the outcomes of background work
)

// Run serves until ctx ends or a listener fails, then stops in this order: no
// longer ready, after Options.Notice no new connections, requests under way are
// answered, background work records what became of it. It returns nil after a
// stop that ctx asked for.
func (a *App) Run(ctx context.Context) error {
	// Requests and workers outlive ctx: they are stopped one after the other.
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()

	public, ops, err := a.listen(ctx)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	failed := make(chan error, 2) // as many as there are listeners
	public = web.LimitConns(public, a.cfg.Server.TrustedProxies)
	srv := web.NewServer(a.handler, a.log)
	srv.RegisterOnShutdown(a.end) // the drain waits for requests, not for open pages
	wg.Go(func() { failed <- a.serve(srv, public) })
	opsSrv := web.NewServer(a.ops, a.log)
	opsSrv.WriteTimeout = 0 // a profile takes as long as it is asked to
	if ops != nil {
		wg.Go(func() { failed <- serveError(opsSrv.Serve(ops)) })
	}
	worked := make(chan struct{})
	go func() { defer close(worked); a.Work(working) }()
	a.log.InfoContext(ctx, "listening", "address", public.Addr().String(), "public_url", a.cfg.Server.PublicURL)

	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	a.log.InfoContext(ctx, "stopping")
	a.stopping.Store(true)
	if err == nil {
		select {
		case <-time.After(a.notice):
		case err = <-failed:
		}
	}
	a.drain(working, srv)
	stopWork()
	select {
	case <-worked:
	case <-time.After(settleTime):
		a.log.ErrorContext(ctx, "background work did not stop in time")
	}
	opsSrv.Close() // last, so that probes see how it went
	wg.Wait()
	a.log.InfoContext(ctx, "stopped")
	return err
}

// listen opens both listeners, or none.
func (a *App) listen(ctx context.Context) (public, ops net.Listener, err error) {
	public = a.listener
	if public == nil {
		if public, err = listen(ctx, a.cfg.Server.Listen); err != nil {
			return nil, nil, fmt.Errorf("server.listen: %w", err)
		}
	}
	if a.cfg.Server.OpsListen == "" {
		return public, nil, nil
	}
	if ops, err = listen(ctx, a.cfg.Server.OpsListen); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("server.ops_listen: %w", err), public.Close())
	}
	return public, ops, nil
}

func (a *App) serve(srv *http.Server, ln net.Listener) error {
	if tls := a.cfg.Server.TLS; tls.Enabled() {
		return serveError(srv.ServeTLS(ln, tls.CertFile, tls.KeyFile))
	}
	return serveError(srv.Serve(ln))
}

// serveError is nil for the error that every server ends with when it is told to.
func serveError(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// drain lets requests end that are being answered, and cuts those that take
// longer than drainTime.
func (a *App) drain(ctx context.Context, srv *http.Server) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		a.log.WarnContext(ctx, "requests were cut off", "err", err)
		srv.Close()
	}
}
