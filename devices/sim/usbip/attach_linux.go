package usbip

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// controller is the kernel's virtual host controller.
const controller = "/sys/devices/platform/vhci_hcd.0"

const (
	highSpeed = 3  // as the controller counts speeds
	maxPorts  = 64 // more than any kernel gives it
)

// Attach gives one end of a new socket to a port of the virtual host controller
// and returns the other, for Serve. The module vhci-hcd has to be loaded, and
// only root may do it.
func Attach(port int) (Conn, error) {
	conn, other, err := pair()
	if err != nil {
		return nil, err
	}
	defer unix.Close(other) // the kernel has it by then
	words := fmt.Sprintf("%d %d %d %d\n", port, other, 1<<16|(port+1), highSpeed)
	if err := os.WriteFile(controller+"/attach", []byte(words), 0); err != nil {
		return nil, errors.Join(fmt.Errorf("attaching to port %d: %w", port, err), conn.Close())
	}
	return conn, nil
}

// FreePorts lists the ports for high speed that have no device.
func FreePorts() ([]int, error) {
	status, err := os.ReadFile(controller + "/status")
	if err != nil {
		return nil, fmt.Errorf("asking the virtual host controller: %w", err)
	}
	return freePorts(string(status)), nil
}

// freePorts reads the controller's table: lines such as
// "hs  0000 004 000 00000000 000000 0-0", where 004 is a port without a device.
func freePorts(status string) (free []int) {
	for line := range strings.Lines(status) {
		f := strings.Fields(line)
		if len(f) < 3 || f[0] != "hs" || f[2] != "004" {
			continue
		}
		if port, err := strconv.Atoi(f[1]); err == nil && port >= 0 && port < maxPorts {
			free = append(free, port)
		}
	}
	return free
}
