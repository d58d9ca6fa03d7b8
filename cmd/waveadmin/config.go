package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"waveadmin/internal/config"
)

func configCommand(env []string) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check or print the settings", RunE: needsSubcommand}
	cmd.AddCommand(configCheckCommand(env), configPrintCommand(env))
	return cmd
}

func configCheckCommand(env []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Say everything that is wrong with the settings",
		Args:  cobra.NoArgs,
	}
	load := settingsFlags(cmd, env)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if _, _, err := load(); err != nil {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "The settings are complete and valid.")
		return nil
	}
	return cmd
}

func configPrintCommand(env []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "print --config FILE",
		Short: "Print the settings that hold, without secrets, and where each was written",
		Args:  cobra.NoArgs,
	}
	load := settingsFlags(cmd, env)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, origins, err := load()
		if err != nil {
			return err
		}
		return config.Print(cmd.OutOrStdout(), cfg, origins)
	}
	return cmd
}
