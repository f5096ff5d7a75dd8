package clip

// digits are 5 × 7 dots each, by rows.
var digits = map[rune][7]string{
	'0': {" ### ", "#   #", "#   #", "#   #", "#   #", "#   #", " ### "},
	'1': {"  #  ", " ##  ", "  #  ", "  #  ", "  #  ", "  #  ", " ### "},
	'2': {" ### ", "#   #", "    #", "   # ", "  #  ", " #   ", "#####"},
	'3': {" ### ", "#   #", "    #", "  ## ", "    #", "#   #", " ### "},
	'4': {"   # ", "  ## ", " # # ", "#  # ", "#####", "   # ", "   # "},
	'5': {"#####", "#    ", "#### ", "    #", "    #", "#   #", " ### "},
	'6': {" ### ", "#    ", "#    ", "#### ", "#   #", "#   #", " ### "},
	'7': {"#####", "    #", "   # ", "  #  ", "  #  ", "  #  ", "  #  "},
	'8': {" ### ", "#   #", "#   #", " ### ", "#   #", "#   #", " ### "},
	'9': {" ### ", "#   #", "#   #", " ####", "    #", "    #", " ### "},
	':': {"     ", "  #  ", "  #  ", "     ", "  #  ", "  #  ", "     "},
}

// cell is the width of a digit with what is between two, in dots.
const cell = 8

// text draws digits and colons, with dots of a size.
func (c canvas) text(x, y, dot int, text string, i ink) {
	for n, char := range text {
		for row, line := range digits[char] {
			for column, mark := range line {
				if mark == '#' {
					c.rect(x+(cell*n+column)*dot, y+row*dot, dot, dot, i)
				}
			}
		}
	}
}
