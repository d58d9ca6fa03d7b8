//go:build !production

package main

import (
	"time"

	"github.com/spf13/cobra"

	"waveadmin/internal/app"
	"waveadmin/internal/config"
)

// trials are the commands for trying the program out, which a build for production
// lacks.
func trials() []*cobra.Command { return []*cobra.Command{demoCommand(), sandboxCommand()} }

func demoCommand() *cobra.Command {
	var o app.DemoOptions
	var level string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Try everything on this machine: a sandbox API, a sandbox sign-in and the server",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Log = app.NewLog(config.Log{Level: level, Format: "text"}, cmd.ErrOrStderr())
			o.Out = cmd.OutOrStdout()
			return app.Demo(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:8080", "`address` of the dashboard, on loopback; port 0 takes a free one")
	f.IntVar(&o.Accounts, "accounts", 200, "`number` of accounts to begin with")
	f.DurationVar(&o.Latency, "latency", 30*time.Millisecond, "`time` that each call of the sandbox API takes")
	f.StringVar(&o.Data, "data", "", "`directory` of the database; empty for one that is removed at the end")
	f.StringVar(&level, "log-level", "warn", "debug, info, warn or error")
	return cmd
}
