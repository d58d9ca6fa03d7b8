package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"waveadmin/internal/app"
)

func healthcheckCommand(env []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "healthcheck --config FILE",
		Short: "Ask the server of these settings whether it is alive",
		Args:  cobra.NoArgs,
	}
	load := settingsFlags(cmd, env)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		if err := app.Healthcheck(cmd.Context(), cfg.Server); err != nil {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "The server is alive.")
		return nil
	}
	return cmd
}
