package main

import (
	"fmt"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"waveadmin/internal/app"
	"waveadmin/internal/auth"
)

func sessionsCommand(env []string) *cobra.Command {
	cmd := &cobra.Command{Use: "sessions", Short: "List who is signed in, or end sessions", RunE: needsSubcommand}
	cmd.AddCommand(sessionsListCommand(env), sessionsEndCommand(env))
	return cmd
}

func sessionsListCommand(env []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list --config FILE",
		Short: "List the sessions that are not over; the server may run",
		Args:  cobra.NoArgs,
	}
	load := settingsFlags(cmd, env)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		all, err := app.Sessions(cmd.Context(), cfg)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			cmd.PrintErrln("Nobody is signed in.")
			return nil
		}
		zone := cfg.UI.Location()
		out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
		fmt.Fprintln(out, "ID\tEMAIL\tSUBJECT\tROLE\tSIGNED IN\tLAST SEEN\tADDRESS\tBROWSER")
		for _, s := range all {
			fmt.Fprintln(out, strings.Join([]string{
				s.Key, s.Who.Email, s.Who.Subject, s.Who.Role.String(), minute(s.Started, zone), minute(s.Seen, zone), s.Address, s.Agent,
			}, "\t"))
		}
		return out.Flush()
	}
	return cmd
}

func minute(t time.Time, zone *time.Location) string { return t.In(zone).Format("2006-01-02 15:04") }

func sessionsEndCommand(env []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "end WHO --config FILE",
		Short: "End the sessions of a person, or one; the server may run",
		Long: `End sessions: all of a person, named by email or subject, or one, named by the id
that "sessions list" shows. They are over on all servers with their next request, and
bulk runs of these people pause. The command is an event of the audit log.

Who is still in a group that may sign in can do so again at once: take the person out
of the group at the provider first.`,
		Args: cobra.ExactArgs(1),
	}
	load := settingsFlags(cmd, env)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		ended, err := app.EndSessions(cmd.Context(), cfg, args[0], operator())
		if err != nil {
			return err
		}
		if len(ended) == 0 {
			return fmt.Errorf("there is no session of %q", args[0])
		}
		for _, s := range ended {
			fmt.Fprintln(cmd.OutOrStdout(), named(s))
		}
		return nil
	}
	return cmd
}

// named says which session of whom s is.
func named(s auth.Session) string {
	return strings.TrimSpace(strings.Join([]string{s.Key, s.Who.Subject, s.Who.Email}, "  "))
}

// operator is who gives a command, as the system says.
func operator() string {
	who, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return who.Username
}
