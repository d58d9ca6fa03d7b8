package app

import (
	"context"
	"fmt"
	"io"

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
