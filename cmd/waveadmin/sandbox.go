//go:build !production

package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"waveadmin/internal/app"
	"waveadmin/internal/sandbox"
)

func sandboxCommand() *cobra.Command {
	var listen, method string
	o := sandbox.Options{BillingGroups: true}
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run the sandbox of the Wave for Reseller API alone",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch o.ListMethod = sandbox.ListMethod(method); {
			case method != "post" && method != "get" && method != "both":
				return fmt.Errorf("%w: --list-method %q is none of post, get, both", app.ErrUsage, method)
			case o.Accounts < 0 || o.Rate < 0 || o.Latency < 0:
				return fmt.Errorf("%w: --accounts, --rate and --latency must not be negative", app.ErrUsage)
			}
			return app.Sandbox(cmd.Context(), listen, o, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "127.0.0.1:9080", "`address` to listen on; port 0 takes a free one")
	f.IntVar(&o.Accounts, "accounts", 200, "`number` of accounts to begin with")
	f.DurationVar(&o.Latency, "latency", 30*time.Millisecond, "`time` that each call takes")
	f.IntVar(&o.Rate, "rate", 100, "`calls` allowed in a second, 0 for any number")
	f.StringVar(&method, "list-method", "both", "how accounts are listed: post, get or both")
	f.Uint64Var(&o.Seed, "seed", 0, "another `number` makes other accounts")
	return cmd
}
