package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"waveadmin/internal/app"
)

func auditCommand(env []string) *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Verify or export the audit log", RunE: needsSubcommand}
	cmd.AddCommand(auditVerifyCommand(env), auditExportCommand(env))
	return cmd
}

func auditVerifyCommand(env []string) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "verify --config FILE [--anchors FILE]",
		Short: "Say whether the audit log is as it was written; the server may run",
		Long: `Say whether the audit log is as it was written. The server may run meanwhile.

It finds events that were edited, removed, inserted or moved. That the newest
events were removed can be certain only with anchors, which the server writes to
its log every 5 minutes or 1,000 events: give that log, or any file with its
lines, or the output of an earlier verify.`,
		Args: cobra.NoArgs,
	}
	load := settingsFlags(cmd, env)
	cmd.Flags().StringVar(&file, "anchors", "", "`file` with anchors, such as the log of the server; - for the standard input")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		var anchors io.Reader
		switch file {
		case "":
		case "-":
			anchors = cmd.InOrStdin()
		default:
			f, err := os.Open(file)
			if err != nil {
				return err
			}
			defer f.Close()
			anchors = f
		}
		report, err := app.VerifyAudit(cmd.Context(), cfg, anchors)
		if err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		for _, p := range report.Problems {
			fmt.Fprintln(out, p)
		}
		if !report.OK() {
			return fmt.Errorf("the audit log is not as it was written: problems: %d, events: %d", report.Found, report.Events)
		}
		fmt.Fprintf(out, "OK: %d events.", report.Events)
		if report.Events > 0 {
			fmt.Fprintf(out, " The last one, as an anchor:\n%s", report.Head.Line())
		}
		fmt.Fprintln(out)
		return nil
	}
	return cmd
}

func auditExportCommand(env []string) *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "export --config FILE [--from TIME] [--to TIME]",
		Short: "Write audit events as JSON, one a line; the server may run",
		Args:  cobra.NoArgs,
	}
	load := settingsFlags(cmd, env)
	cmd.Flags().StringVar(&from, "from", "", "first `day` (2026-11-22) or time (2026-11-22T09:00:00+09:00)")
	cmd.Flags().StringVar(&to, "to", "", "last `day`, included, or a time, not included")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		out := bufio.NewWriter(cmd.OutOrStdout())
		if err := app.ExportAudit(cmd.Context(), cfg, out, from, to); err != nil {
			return err
		}
		return out.Flush()
	}
	return cmd
}
