package gear

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/counterproof/counterproof/agent/config"
	"github.com/counterproof/counterproof/devices"
)

// trainer is the folder by whose files somebody who trains the staff pulls
// simulated devices out and puts them into trouble, in the counter's data folder.
const trainer = "trainer"

// simName is what a simulated device may be called: the part of its name after
// "sim:".
var simName = regexp.MustCompile(`^[a-z][a-z_ -]{0,40}$`)

// troubles are the faults that a simulated device can be put into.
var troubles = []string{
	string(devices.InUse), string(devices.Permission), string(devices.Timeout), string(devices.Protocol), string(devices.Unsupported),
	string(devices.PaperOut), string(devices.CoverOpen),
}

func simCommand() *cobra.Command {
	root := &cobra.Command{
		Use: "sim", Short: "Simulated devices for training", Args: cobra.NoArgs,
		Long: `Simulated devices for training. They count only at a counter that is enrolled for
training. "start" makes a desk of software in a folder; the others do to a device of a
counter that runs what a person could: pull it out, plug it in, let it fail.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(
		startCommand(),
		hand("unplug NAME", "Pull a simulated device out", 1, func(dir string, args []string) error {
			return touch(filepath.Join(dir, args[0]+".unplugged"), "")
		}),
		hand("plug NAME", "Plug it in again", 1, func(dir string, args []string) error {
			return gone(filepath.Join(dir, args[0]+".unplugged"))
		}),
		hand("fault NAME KIND", "Let a simulated device fail ("+strings.Join(troubles, ", ")+"), or none", 2, func(dir string, args []string) error {
			file := filepath.Join(dir, args[0]+".fault")
			if args[1] == "none" {
				return gone(file)
			}
			if !slices.Contains(troubles, args[1]) {
				return fmt.Errorf("%q is none of %s, none", args[1], strings.Join(troubles, ", "))
			}
			return touch(file, args[1])
		}),
	)
	return root
}

// hand makes a subcommand that does something to a device in the trainer's folder.
func hand(use, short string, args int, do func(dir string, args []string) error) *cobra.Command {
	var p place
	cmd := command(&cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(args),
		Long: short + ".\n\nNAME is what follows \"sim:\" in counterproofd devices list: document_camera, face_camera, printer, chip_reader.",
	}, func(cmd *cobra.Command, given []string) error {
		cfg, _, err := p.open()
		if err != nil {
			return err
		}
		given[0] = strings.TrimPrefix(given[0], "sim:")
		if !simName.MatchString(given[0]) {
			return fmt.Errorf("%.48q is no name of a simulated device", given[0])
		}
		return do(filepath.Join(cfg.Data, trainer), given)
	})
	p.flags(cmd)
	return cmd
}

// touch writes a small file in a folder that is made if need be.
func touch(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("telling the simulated device: %w", err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("telling the simulated device: %w", err)
	}
	return nil
}

// gone removes a file; that there is none is as good.
func gone(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("telling the simulated device: %w", err)
	}
	return nil
}

func startCommand() *cobra.Command {
	var p place
	cmd := command(&cobra.Command{
		Use: "start FOLDER", Short: "Make a desk of simulated devices in a folder", Args: cobra.ExactArgs(1),
		Long: `Make a desk of simulated devices in a folder: a camera over the document and one for
the face, which show the pictures in document and face, a printer that prints into
slips, and a chip reader on which the chip in chip lies. It writes counter.json beside
them, with which the counter is run; everything else in it is as it was.`,
		Example: `  counterproofd devices sim start training
  counterproofd run --config training/counter.json
  counterproofd inspect specimen --help
  counterproofd devices sim fault printer paper_out --config training/counter.json`,
	}, func(cmd *cobra.Command, args []string) error {
		cfg, _, err := p.open()
		if err != nil {
			return err
		}
		file, err := start(cfg, args[0])
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "The desk is made. Run the counter with it:\n  counterproofd run --config %s\n", file)
		return err
	})
	p.flags(cmd)
	return cmd
}

// start makes a desk in a folder and gives the configuration of a counter with it.
func start(cfg config.Config, dir string) (file string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("making the desk: %w", err)
	}
	for _, name := range []string{"document", "face", "slips", "chip"} {
		err = errors.Join(err, os.MkdirAll(filepath.Join(dir, name), 0o700))
	}
	if err != nil {
		return "", fmt.Errorf("making the desk: %w", err)
	}
	cfg.DocumentCamera, cfg.FaceCamera = "sim:"+filepath.Join(dir, "document"), "sim:"+filepath.Join(dir, "face")
	cfg.Printer, cfg.ChipReader = "file:"+filepath.Join(dir, "slips"), "sim:"+filepath.Join(dir, "chip")
	raw, err := json.MarshalIndent(cfg, "", "  ")
	if err != nil {
		return "", fmt.Errorf("making the desk: %w", err)
	}
	file = filepath.Join(dir, "counter.json")
	return file, keep(file, append(raw, '\n'), 0o600)
}
