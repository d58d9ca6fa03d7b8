package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// listen opens address. A port that is taken is the fault that people make most,
// so it has a sentence of its own.
func listen(ctx context.Context, address string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program: stop it or choose another address", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("not allowed to listen on %s: choose a port above 1023", address)
	case err != nil:
		return nil, err
	}
	return ln, nil
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
