package framing_test

import (
	"fmt"

	"github.com/counterproof/counterproof/devices/framing"
)

// A reader's answer comes in two reads, behind what another program sent it.
func ExampleNew() {
	d, err := framing.New(framing.Elyctis, framing.Settings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, read := range []string{"AT\rI\x00\x4aI<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\r", "D231458907UTO7408122F1204159<<<<<<<6\r"} {
		for _, f := range d.Feed([]byte(read)) {
			if m, ok := f.(framing.MRZ); ok {
				fmt.Println(m.Lines[0], m.Lines[1], m.Skipped)
			}
		}
		fmt.Println("more to come:", d.Pending())
	}
	// Output:
	// more to come: true
	// I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<< D231458907UTO7408122F1204159<<<<<<<6 3
	// more to come: false
}

// A scanner over HID says in its report descriptor where the content begins.
func ExampleParseReportDescriptor() {
	layout, err := framing.ParseReportDescriptor([]byte{
		0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x85, 0x02, 0x75, 0x08, 0x95, 0x01,
		0x05, 0x01, 0x09, 0x3b, 0x81, 0x02, // how many bytes
		0x05, 0x8c, 0x09, 0xfe, 0x95, 0x10, 0x81, 0x02, 0xc0, // 16 bytes of content
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := framing.New(framing.HIDPOS, framing.Settings{Layout: &layout})
	if err != nil {
		fmt.Println(err)
		return
	}
	report := append([]byte{2, 3, 'A', 'B', 'C'}, make([]byte, 13)...)
	for _, f := range d.Feed(report) {
		if b, ok := f.(framing.Barcode); ok {
			fmt.Printf("%x\n", b.Bytes)
		}
	}
	// Output: 414243
}

// Only what a framing knows can be sent.
func ExampleCommand() {
	sent, err := framing.Command(framing.Elyctis, framing.Inquire)
	fmt.Printf("%x %v\n", sent, err)
	_, err = framing.Command(framing.CUTE, framing.Inquire)
	fmt.Println(err)
	// Output:
	// 490000 <nil>
	// framing cute-ocr: there is no command "inquire"
}
