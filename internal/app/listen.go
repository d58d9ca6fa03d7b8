package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
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
