// Command waveadmin is a dashboard for the WavePro accounts that a cloud reseller
// issues to its customers. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"waveadmin/internal/app"
	"waveadmin/internal/config"
)

// Exit statuses that scripts may rely on.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or configuration
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the program at once
	status := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run executes the command that args name and returns the exit status. Data goes
// to stdout, everything for people to stderr.
func run(ctx context.Context, args, env []string, stdout, stderr io.Writer) int {
	started := false // false while cobra may still refuse the arguments
	root := &cobra.Command{
		Use:               "waveadmin",
		Short:             "A dashboard for the WavePro accounts of a cloud reseller",
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRun:  func(*cobra.Command, []string) { started = true },
		RunE:              needsSubcommand,
	}
	root.AddCommand(
		serveCommand(env), configCommand(env),
		migrateCommand(env), backupCommand(env), auditCommand(env), sessionsCommand(env), healthcheckCommand(env), versionCommand(),
	)
	root.AddCommand(trials()...)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)

	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(stderr, "waveadmin: %v\n", err)
	if _, ok := errors.AsType[*config.Error](err); ok {
		return exitUsage
	}
	if !started || errors.Is(err, app.ErrUsage) {
		fmt.Fprintf(stderr, "Try %q.\n", cmd.CommandPath()+" --help")
		return exitUsage
	}
	return exitFailed
}

func needsSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: unknown command %q", app.ErrUsage, args[0])
	}
	cmd.PrintErrln(cmd.UsageString())
	return fmt.Errorf("%w: which command?", app.ErrUsage)
}

// settingsFlags adds --config and --set to cmd and returns what loads the
// settings once the flags are parsed.
func settingsFlags(cmd *cobra.Command, env []string) func() (config.Config, config.Origins, error) {
	src := config.Sources{Env: env}
	cmd.Flags().StringVar(&src.File, "config", "", "settings `file` (YAML)")
	cmd.Flags().StringArrayVar(&src.Set, "set", nil, "one setting as `path=value`, such as log.level=debug; repeatable")
	return func() (config.Config, config.Origins, error) { return config.Load(src) }
}
