package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"waveadmin/internal/app"
)

func backupCommand(env []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup FILE --config CONFIG",
		Short: "Copy the SQLite database to a new file; the server may run",
		Long: `Copy the SQLite database to a new file. The server may run meanwhile, and does not wait.

The copy is complete and checked, or it is not there. A file that is there already is
never replaced. The copy holds sessions and email addresses: keep it as closely as
the database.`,
		Args: cobra.ExactArgs(1),
	}
	load := settingsFlags(cmd, env)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		head, err := app.Backup(cmd.Context(), cfg.Database, args[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "The database is copied to %s, up to audit event %d.\n", args[0], head.Seq)
		return nil
	}
	return cmd
}
