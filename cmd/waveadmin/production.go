//go:build production

package main

import "github.com/spf13/cobra"

// trials are none: what production does not need is not in the program.
func trials() []*cobra.Command { return nil }
