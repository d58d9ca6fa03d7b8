package main

import (
	"github.com/spf13/cobra"

	"waveadmin/internal/app"
)

func serveCommand(env []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run the server",
		Args:  cobra.NoArgs,
	}
	load := settingsFlags(cmd, env)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		log := app.NewLog(cfg.Log, cmd.ErrOrStderr())
		a, err := app.New(cmd.Context(), cfg, app.Options{Log: log, Notice: app.NoticeTime})
		if err != nil {
			return err
		}
		defer a.Close()
		return a.Run(cmd.Context())
	}
	return cmd
}
