package inspect

import (
	"encoding/json"
	"errors"

	"github.com/counterproof/counterproof/agent/licence"
	"github.com/counterproof/counterproof/agent/proof"
	"github.com/spf13/cobra"
)

// aamvaInput is the text of a bar code.
type aamvaInput struct {
	Payload *string `json:"payload"`
}

// aamvaCard reads the bar code of an American licence.
func aamvaCard(in json.RawMessage) (any, error) {
	var q aamvaInput
	if err := decode(in, &q); err != nil {
		return nil, err
	}
	if q.Payload == nil {
		return nil, errors.New(`"payload" is missing`)
	}
	c, err := licence.ParseAAMVA(*q.Payload)
	if err != nil {
		return nil, err
	}
	return cardFields(c), nil
}

// cardFields are the elements under their codes, with dates and sex in plain
// words; a date that is none is null. Codes have capitals, the other keys small
// letters, so that no element of a card can stand in for one of them.
func cardFields(c licence.Card) map[string]any {
	out := map[string]any{"iin": c.IIN, "version": c.Version, "problems": append([]proof.Code{}, c.Problems...)}
	for _, e := range c.Elements {
		out[e.Code] = e.Value
		if licence.DateElement(e.Code) {
			out[e.Code] = dateOrNull(c, e.Code)
		}
		if e.Code == "DBC" {
			out[e.Code] = c.Sex()
		}
	}
	if c.NameInOne() {
		out["surname"], out["given"], out["suffix"] = c.Names()
	}
	return out
}

// dateOrNull is a date as YYYY-MM-DD, nil where it is none.
func dateOrNull(c licence.Card, code string) any {
	d, ok := c.Date(code)
	if !ok {
		return nil
	}
	return d.String()
}

// aamvaCommand is "inspect aamva".
func aamvaCommand() *cobra.Command {
	return question{
		use: "aamva", short: "Read the bar code of an American licence",
		long: `Reads the text of the PDF417 bar code on a licence or identity card of the
United States or Canada (AAMVA): issuer, version and the elements under their
codes, dates as YYYY-MM-DD, and what is odd about them. A name that comes in one
element is split into surname, given and suffix. Separators may be what the
scanner makes of them: line ends, control characters, or signs such as |.`,
		example: `  echo '{"payload":"@|~|ANSI 636000100101DL00310049DLDAQT64235789|DCSSAMPLE|DBB06061986|DBA12102034|"}' | counterproofd inspect aamva`,
		answer:  func() (answerer, error) { return aamvaCard, nil },
	}.command()
}
