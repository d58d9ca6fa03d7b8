//go:build !production

package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"waveadmin/internal/sandbox"
)

// Sandbox serves the sandbox of the Wave API on address until ctx ends. When it
// listens it writes to out what a client needs.
func Sandbox(ctx context.Context, address string, o sandbox.Options, out io.Writer) error {
	ln, err := listen(ctx, address)
	if err != nil {
		return err
	}
	origin := "http://" + ln.Addr().String()
	fmt.Fprintf(out, "base_url: %s%s\ntoken_url: %s%s\nclient_id: %s\nclient_secret: %s\n",
		origin, sandbox.BasePath, origin, sandbox.TokenPath, sandbox.DemoClientID, sandbox.DemoClientSecret)
	return serveSandbox(ctx, ln, sandbox.New(o))
}

// serveSandbox serves h on ln until ctx ends, then at most a second longer. It
// closes ln.
func serveSandbox(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if srv.Shutdown(ctx) != nil { // someone is still being answered
			srv.Close()
		}
	})
	err := srv.Serve(ln)
	if !stop() { // Serve returns before Shutdown does
		<-ended
	}
	return serveError(err)
}
