//go:build !production

package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"waveadmin/internal/config"
	"waveadmin/internal/sandbox"
	"waveadmin/internal/sandbox/idp"
)

// DemoOptions describe a demo.
type DemoOptions struct {
	Listen   string        // of the dashboard, on loopback; port 0 for a free one
	Accounts int           // in the sandbox to begin with
	Latency  time.Duration // of each call of the sandbox
	Data     string        // directory of the database; empty for one that is removed at the end
	Log      *slog.Logger
	Out      io.Writer // gets the address and who can sign in
}

// Demo runs the whole program on this machine until ctx ends: a sandbox of the
// Wave API, a sandbox of the OpenID provider, and the server between them. It
// writes to o.Out when it listens, and nothing when it fails before that.
func Demo(ctx context.Context, o DemoOptions) (err error) {
	if o.Accounts < 0 || o.Latency < 0 {
		return fmt.Errorf("%w: the number of accounts and the latency must not be negative", ErrUsage)
	}
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("%w: %q is no address such as 127.0.0.1:8080", ErrUsage, o.Listen)
	}
	if !config.IsLoopback(host) { // anybody may sign in to it as anybody
		return fmt.Errorf("%w: the demo is for this machine only: listen on 127.0.0.1 or localhost, not on %q", ErrUsage, host)
	}
	public, err := listen(ctx, o.Listen)
	if err != nil {
		return err
	}
	defer public.Close()
	if o.Data == "" {
		if o.Data, err = os.MkdirTemp("", "waveadmin-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.Data)) }()
	}
	d, err := newDemo(ctx, o, origin(host, public))
	if err != nil {
		return err
	}
	defer d.close()
	return d.run(ctx, o, public)
}

// demo is what stands around the App: the two sandboxes and their listeners.
type demo struct {
	cfg                config.Config
	wave, provider     net.Listener
	waveAPI, signingIn http.Handler
}

func newDemo(ctx context.Context, o DemoOptions, publicURL string) (*demo, error) {
	wave, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	provider, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, wave.Close())
	}
	d := &demo{wave: wave, provider: provider}
	d.cfg = DemoConfig(publicURL, "http://"+wave.Addr().String(), "http://"+provider.Addr().String(), o.Data)
	if err := d.cfg.Validate(); err != nil {
		return nil, errors.Join(err, d.close())
	}
	d.waveAPI = sandbox.New(sandbox.Options{
		Accounts: o.Accounts, Latency: o.Latency, Rate: 100,
		ListMethod: sandbox.ListByBoth, BillingGroups: true,
	})
	d.signingIn = idp.New(idp.Options{
		Issuer:   d.cfg.Auth.Issuer,
		ClientID: d.cfg.Auth.ClientID, ClientSecret: d.cfg.Auth.ClientSecret.Reveal(),
		RedirectURIs: []string{publicURL + "/auth/callback"},
		PostLogout:   []string{publicURL + "/auth/signed-out"},
		BackChannel:  publicURL + "/auth/backchannel-logout",
	})
	return d, nil
}

func (d *demo) close() error { return errors.Join(d.wave.Close(), d.provider.Close()) }

// DemoConfig returns the settings of a server between the two sandboxes: wave and
// issuer are their origins, data the directory of the database.
func DemoConfig(publicURL, wave, issuer, data string) config.Config {
	cfg := config.Default()
	cfg.Server.PublicURL, cfg.Server.OpsListen = publicURL, ""
	cfg.Wave.BaseURL, cfg.Wave.TokenURL = wave+sandbox.BasePath, wave+sandbox.TokenPath
	cfg.Wave.ClientID = sandbox.DemoClientID
	cfg.Wave.ClientSecret = config.NewSecret(sandbox.DemoClientSecret)
	cfg.Auth.Issuer = issuer
	cfg.Auth.ClientID, cfg.Auth.ClientSecret = "waveadmin-demo", config.NewSecret(rand.Text())
	cfg.Auth.Roles = config.Roles{Viewer: []string{idp.ViewerGroup}, Editor: []string{idp.EditorGroup}}
	key := make([]byte, 32)
	rand.Read(key) // never fails
	cfg.Session.Secret = config.NewSecret(base64.StdEncoding.EncodeToString(key))
	cfg.Database.URL = config.DatabaseURL("sqlite:" + filepath.Join(data, "waveadmin.db"))
	return cfg
}

// run serves everything. The sandboxes go on until the server has answered its
// last request.
func (d *demo) run(ctx context.Context, o DemoOptions, public net.Listener) error {
	a, err := New(ctx, d.cfg, Options{Log: o.Log, Listener: public})
	if err != nil {
		return err
	}
	defer a.Close()
	around, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var g errgroup.Group
	g.Go(func() error { return serveSandbox(around, d.wave, d.waveAPI) })
	g.Go(func() error { return serveSandbox(around, d.provider, d.signingIn) })
	g.Go(func() error { defer stop(); return a.Run(ctx) })
	d.announce(o.Out)
	return g.Wait()
}

func (d *demo) announce(out io.Writer) {
	var b strings.Builder
	fmt.Fprintf(&b, "\nThe demo is ready. デモの準備ができました。\n\n  %s/\n\nWho can sign in / サインインできる人:\n", d.cfg.Server.PublicURL)
	for _, p := range idp.People {
		name := p.Name
		if p.Latin != "" {
			name += " (" + p.Latin + ")"
		}
		fmt.Fprintf(&b, "  %s\n    %s\n    %s\n", name, p.Role.En, p.Role.Ja)
	}
	fmt.Fprintf(&b, "\nWave API sandbox: %s\nCtrl-C ends it. 終了するには Ctrl-C を押してください。\n", d.cfg.Wave.BaseURL)
	io.WriteString(out, b.String())
}

// origin is how browsers find ln: by the host as it was typed, with the port that
// it really has.
func origin(host string, ln net.Listener) string {
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return "http://" + ln.Addr().String() // not of a TCP listener
	}
	return "http://" + net.JoinHostPort(host, port)
}
