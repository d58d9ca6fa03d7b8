package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"waveadmin/internal/app"
)

func migrateCommand(env []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate --config FILE",
		Short: "Bring the tables of the database up to date; serve does so too when it starts",
		Args:  cobra.NoArgs,
	}
	load := settingsFlags(cmd, env)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		steps, err := app.Migrate(cmd.Context(), cfg.Database)
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "Steps done: %d. The database is up to date.\n", steps)
		return nil
	}
	return cmd
}
