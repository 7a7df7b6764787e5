package pikvm

// layoutSigns are the signs on the keys, in the order of layoutKeys: plain, with Shift, with AltGr, with both. A space
// stands for none, and so does the end. Dead keys are written as the accents of deadKeys, all of which are spacing modifier
// letters but for the diaeresis and the cedilla; where a key gives such a sign itself, it is left out.
//
// The facts are those of the layouts of the same names in xkeyboard-config 2.35.1
// (https://gitlab.freedesktop.org/xkeyboard-config/xkeyboard-config, directory symbols, on a keyboard pc105).
var layoutSigns = map[string][]string{
	"us": {
		"`1234567890-=qwertyuiop[]asdfghjkl;'\\<zxcvbnm,./",
		`~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"|>ZXCVBNM<>?`,
	},
	"us-intl": {
		`ˋ1234567890-=qwertyuiop[]asdfghjkl;ˊ\\zxcvbnm,./`,
		`˜!@#$%ˆ&*()_+QWERTYUIOP{}ASDFGHJKL:¨||ZXCVBNM<>?`,
		"`¡²³¤€¼½¾‘’¥×äåé®þüúíóö«»áßðfghjœø¶'¬\\æx©vbñµç˙¿",
		`~¹˝ˉ£¸^ ˛˘˚ ÷ÄÅÉ®ÞÜÚÍÓÖ“”Á§ÐFGHJŒØ°"¦|ÆX¢VBÑµÇˇ`,
	},
	"gb": {
		"`1234567890-=qwertyuiop[]asdfghjkl;'#\\zxcvbnm,./",
		`¬!"£$%^&*()_+QWERTYUIOP{}ASDFGHJKL:@~|ZXCVBNM<>?`,
		`|¹²³€½¾{[]}\¸@ſe¶ŧ←↓→øþ¨˜æßðđŋħ ĸłˊˆˋ|«»¢„“”µ•·`,
		`|¡⅛£¼⅜⅝⅞™±°¿˛Ω§E®Ŧ¥↑ıØÞ˚ˉÆẞÐªŊĦ &Ł˝ˇ˘¦<>©‚‘’º×÷˙`,
	},
	"de": {
		`ˆ1234567890ßˊqwertzuiopü+asdfghjklöä#<yxcvbnm,.-`,
		`°!"§$%&/()=?ˋQWERTZUIOPÜ*ASDFGHJKLÖÄ'>YXCVBNM;:_`,
		`′¹²³¼½¬{[]}\¸@ſ€¶ŧ←↓→øþ¨~æſðđŋħ ĸł˝ˆ’|»«¢„“”µ·…–`,
		`″¡⅛£¤⅜⅝⅞™±°¿˛Ω§€®Ŧ¥↑ıØÞ˚¯ÆẞÐªŊĦ˙&Ł ˇ˘ ›‹©‚‘’º×÷—`,
	},
	"at": {
		`ˆ1234567890ßˊqwertzuiopü+asdfghjklöä#<yxcvbnm,.-`,
		`°!"§$%&/()=?ˋQWERTZUIOPÜ*ASDFGHJKLÖÄ'>YXCVBNM;:_`,
		`′¹²³¼½¬{[]}\¸@ſ€¶ŧ←↓→øþ¨~æſðđŋħ ĸł˝ˆ’|»«¢„“”µ·…–`,
		`″¡⅛£¤⅜⅝⅞™±°¿˛Ω§€®Ŧ¥↑ıØÞ˚¯ÆẞÐªŊĦ˙&Ł ˇ˘ ›‹©‚‘’º×÷—`,
	},
	"ch": {
		`§1234567890'ˆqwertzuiopü¨asdfghjklöä$<yxcvbnm,.-`,
		`°+"*ç%&/()=?ˋQWERTZUIOPè!ASDFGHJKLéà£>YXCVBNM;:_`,
		`¬|@#¼½¬|¢]}ˊ˜@ſ€¶ŧ←↓→œþ[]æßðđŋħ ĸłˊ{}\«»¢„“”µ•·`,
		`¬¡⅛£$⅜⅝⅞™±°¿˛Ω§E®Ŧ¥↑ıŒÞ˚ˉÆẞÐªŊĦ &Ł˝ˇ˘¦<>©‚‘’º×÷˙`,
	},
	"ch-fr": {
		`§1234567890'ˆqwertzuiopè¨asdfghjkléà$<yxcvbnm,.-`,
		`°+"*ç%&/()=?ˋQWERTZUIOPü!ASDFGHJKLöä£>YXCVBNM;:_`,
		`¬|@#¼½¬|¢]}ˊ˜@ſ€¶ŧ←↓→œþ[]æßðđŋħ ĸłˊ{}\«»¢„“”µ•·`,
		`¬¡⅛£$⅜⅝⅞™±°¿˛Ω§E®Ŧ¥↑ıŒÞ˚ˉÆẞÐªŊĦ &Ł˝ˇ˘¦<>©‚‘’º×÷˙`,
	},
	"fr": {
		`²&é"'(-è_çà)=azertyuiopˆ$qsdfghjklmù*<wxcvbn,;:!`,
		`~1234567890°+AZERTYUIOP¨£QSDFGHJKLM%µ>WXCVBN?./§`,
		"¬¹~#{[|`\\^@]}æ«€¶ŧ←↓→øþ¨¤@ßðđŋħ ĸłµˆˋ|ł»¢„“”ˊ•·",
		`¬¡⅛£$⅜⅝⅞™±°¿˛Æ<¢®Ŧ¥↑ıØÞ˚ˉΩẞÐªŊĦ &Łºˇ˘¦Ł>©‚‘’˝×÷˙`,
	},
	"be": {
		`²&é"'(§è!çà)-azertyuiopˆ$qsdfghjklmùµ<wxcvbn,;:=`,
		`³1234567890°_AZERTYUIOP¨*QSDFGHJKLM%£>WXCVBN?./+`,
		`¬|@#¼½^{[{}\¸@ſ€¶ŧ←↓→œþ[]æßðđŋħ ĸłˊˊˋ\«»¢„“”¸•·˜`,
		`¬¡⅛£$⅜⅝⅞™±°¿˛Ω§¢®Ŧ¥↑ıŒÞ˚ˉÆẞÐªŊĦ &Ł˝ˇ˘\<>©‚‘’º×÷˙`,
	},
	"ca": {
		`#1234567890-=qwertyuiopˆ¸asdfghjkl;ˋ<«zxcvbnm,.é`,
		`|!"/$%?&*()_+QWERTYUIOPˆ¨ASDFGHJKL:ˋ>»ZXCVBNM'.É`,
		`\±@£¢¤¬¦²³¼½¾        §¶[]         ~{}°      µ¯ ˊ`,
		`                                     ¦`,
	},
	"es": {
		`º1234567890'¡qwertyuiopˋ+asdfghjklñˊç<zxcvbnm,.-`,
		`ª!"·$%&/()=?¿QWERTYUIOPˆ*ASDFGHJKLÑ¨Ç>ZXCVBNM;:_`,
		`\|@#~½¬{[]}\¸@ſ€¶ŧ←↓→øþ[]æßðđŋħ ĸł˜{}|«»¢„“”µ•·`,
		`\¡⅛£$⅜⅝⅞™±°¿˛Ω§¢®Ŧ¥↑ıØÞ˚ˉÆẞÐªŊĦ &Ł˝ˇ˘¦<>©‚‘’º×÷˙`,
	},
	"latam": {
		`|1234567890'¿qwertyuiopˊ+asdfghjklñ{}<zxcvbnm,.-`,
		`°!"#$%&/()=?¡QWERTYUIOP¨*ASDFGHJKLÑ[]>ZXCVBNM;:_`,
		`¬|@·~½¬{[]}\¸@ſ€¶ŧ←↓→øþ¨~æßðđŋħ ĸł~ˆˋ\«»¢„“”µ•·`,
		`¬¡⅛£$⅜⅝⅞™±°¿˛Ω§¢®Ŧ¥↑ıØÞ˚ˉÆẞÐªŊĦ &Ł˝{}|<>©‚‘’º×÷˙`,
	},
	"it": {
		`\1234567890'ìqwertyuiopè+asdfghjklòàù<zxcvbnm,.-`,
		`|!"£$%&/()=?^QWERTYUIOPé*ASDFGHJKLç°§>ZXCVBNM;:_`,
		"¬¹²³¼½¬{[]}`~@ſ€¶ŧ←↓→øþ[]æßðđŋħ ĸł@#ˋ««»¢“”ñµˊ·ˉ",
		`¦¡˝˜⅛⅜⅝⅞™±˛¿ˆΩ§¢®Ŧ¥↑ıØÞ{}ÆẞÐªŊĦ &Ł¸˚˘»<>©‘’Ñº×¨÷`,
	},
	"pt": {
		`\1234567890'«qwertyuiop+ˊasdfghjklçº˜<zxcvbnm,.-`,
		`|!"#$%&/()=?»QWERTYUIOP*ˋASDFGHJKLÇªˆ>ZXCVBNM;:_`,
		`¬¹@£§½¬{[]}\¸@ſ€¶ŧ←↓→øþ¨˜æßðđŋħ ĸłˊˆˋ\«»¢„“”µ•·`,
		`¬¡⅛£$⅜⅝⅞™±°¿˛Ω§¢®Ŧ¥↑ıØÞ˚ˉÆẞÐªŊĦ &Ł˝ˇ˘\<>©‚‘’º×÷˙`,
	},
	"br": {
		`'1234567890-=qwertyuiopˊ[asdfghjklç˜]\zxcvbnm,.;/`,
		`"!@#$%¨&*()_+QWERTYUIOPˋ{ASDFGHJKLÇˆ}|ZXCVBNM<>:?`,
		`¬¹²³£¢¬{[]}\§/?°®ŧ←↓→øþ´ªæßðđŋħ ĸłˊ~ºˇ«»©„“”µ•· °`,
		"¬¡½¾¼⅜ ⅞™±°¿˛/?°®Ŧ¥↑ıØÞ`ˉÆẞÐªŊĦ &Ł˝^º˘<>©‚‘’µ×÷˙¿",
	},
	"nl": {
		`@1234567890/°qwertyuiop¨*asdfghjkl+ˊ<]zxcvbnm,.-`,
		`§!"#$%&_()'?˜QWERTYUIOPˆ|ASDFGHJKL±ˋ>[ZXCVBNM;:=`,
		`¬¹²³¼½¾£{}°\¸@ſ€¶þÿüïò¶~˜áßðªŋħ ĸłˊ'ˋ|«»¢“”ñμ ·`,
		"¬¡⅛£$⅜⅝⅞[]™¿˛Ω§¢®Þ¥ÜÏÒÞ^ˉÁẞÐªŊĦ &Ł˝`˘¦<>©‘’Ñº«»˙",
	},
	"dk": {
		`½1234567890+ˊqwertyuiopå¨asdfghjklæø'<zxcvbnm,.-`,
		`§!"#¤%&/()=?ˋQWERTYUIOPÅˆASDFGHJKLÆØ*>ZXCVBNM;:_`,
		`¾¡@£$½¥{[]}±|@ſ€®þ←↓→œþ¨˜ªßðđŋħ ĸłˊˆ˝\«»©„“”µ¸·`,
		`¶¹²³¼¢⅝÷«»°¿¦Ω§¢®Þ¥↑ıŒÞ˚ˇºẞÐªŊĦ &Ł˝ˇ×¬<>©‚‘’º˛˙˙`,
	},
	"no": {
		`|1234567890+\qwertyuiopå¨asdfghjkløæ'<zxcvbnm,.-`,
		`§!"#¤%&/()=?ˋQWERTYUIOPÅˆASDFGHJKLØÆ*>ZXCVBNM;:_`,
		`¦¡@£$½¥{[]}±ˊ@ſ€®þ←↓→œπ¨˜ªßðđŋħ ĸłˊˆ˝½«»©„“”µ¸…–`,
		`¶¹²³¼‰⅝÷«»°¿¬Ω§¢™Þ¥↑ıŒΠ˚ˇºẞÐªŊĦ &Ł˝ˇ×¾<>©‚‘’º˛·—`,
	},
	"se": {
		`§1234567890+ˊqwertyuiopå¨asdfghjklöä'<zxcvbnm,.-`,
		`½!"#¤%&/()=?ˋQWERTYUIOPÅˆASDFGHJKLÖÄ*>ZXCVBNM;:_`,
		`¶¡@£$€¥{[]}\±@ſ€®þ←↓→œþ¨˜ªßðđŋħ ĸłøæ´|«»©„“”µ¸·`,
		`¾¹²³¼¢⅝÷«»°¿¬Ω§¢®Þ¥↑ıŒÞ˚ˇºẞÐªŊĦ &ŁØÆ×¦<>©‚‘’º˛˙˙`,
	},
	"fi": {
		`§1234567890+ˊqwertyuiopå¨asdfghjklöä'<zxcvbnm,.-`,
		`½!"#¤%&/()=?ˋQWERTYUIOPÅˆASDFGHJKLÖÄ*>ZXCVBNM;:_`,
		`  @£$‰‚{[]}\¸qw€rþyuıœ ˝˜əßðfghjĸ øæˇ|ʒ×cvbŋµ’ –`,
		` ¡”»«“„ <>°¿˛QW RÞYU|Œ ˚ˉƏẞÐFGHJ  ØÆ˘¦Ʒ·CVBŊ—‘˙`,
	},
	"is": {
		`˚1234567890ö-qwertyuiopð'asdfghjklæˊ+<zxcvbnm,.þ`,
		`¨!"#$%&/()=Ö_QWERTYUIOPÐ?ASDFGHJKLÆˊ*>ZXCVBNM;:Þ`,
		"¬¹²³¼½¬{[]}\\¸@ſ€¶ŧ←↓→ø|¨~æß„đŋħ ĸł^ˆ`|«»¢„“”µ•·",
		` ¡⅛£¤⅜⅝⅞™±°¿˛Ω§¢®Ŧ¥↑ıØπ˚ˉÆẞ“ªŊĦ &Ł˝ˇ˘¦<>©‚‘’º×÷˙`,
	},
	"pl": {
		"`1234567890-=qwertyuiop[]asdfghjkl;'\\<zxcvbnm,./",
		`~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"|>ZXCVBNM<>?`,
		`¬≠²³¢€½§·«»–¸πœę©ß←↓→óþ¨˜ąśðæŋ’ə…łˊˆˋ|żźć„”ńµ≤≥`,
		`∨¡¿£¼‰∧≈¾±°—˛ΩŒĘ®™¥↑↔ÓÞ˚ˉĄŚÐÆŊ•Ə Ł˝ˇ˘¦ŻŹĆ‘“Ń∞×÷˙`,
	},
	"cz": {
		`;+ěščřžýáíé=ˊqwertzuiopú)asdfghjklů§¨\yxcvbnm,.-`,
		`˚1234567890%ˇQWERTZUIOP/(ASDFGHJKL"!'|YXCVBNM?:_`,
		"`!@#$%^&*{}\\ˉ\\|€¶ŧ←↓→øþ[]~đĐ[]`'łŁ$'\\/°#&@{}^<>*",
		`~˜ˇˆ˘˚˛ˋ˙ˊ˝¨¸Ω E®Ŧ¥↑ıØÞ÷×ÆẞÐªŊĦ &Ł˝ß|¦< ©‚‘’º×÷˙`,
	},
	"sk": {
		`;+ľščťžýáíé=ˊqwertzuiopúäasdfghjklô§ň\yxcvbnm,.-`,
		`˚1234567890%ˇQWERTZUIOP/(ASDFGHJKL"!)|YXCVBNM?:_`,
		"`!@#$%^&*{}\\ˉ\\|€¶ŧ←↓→øþ[]~đĐ[]`'łŁ$'\\/°#&@{}^<>*",
		`~˜ˇˆ˘˚˛ˋ˙ˊ˝¨¸Ω E®Ŧ¥↑ıØÞ÷×ÆẞÐªŊĦ &Ł˝ß|¦< ©‚‘’º×÷˙`,
	},
	"hu": {
		`0123456789öüóqwertzuiopőúasdfghjkléáűíyxcvbnm,.-`,
		`§'"+!%/=()ÖÜÓQWERTZUIOPŐÚASDFGHJKLÉÁŰÍYXCVBNM?:_`,
		"¬~ˇ^˘˚˛`˙ˊ˝¨¸\\|Ä¶ŧ–€Í„”÷×äđĐ[]ħíłŁ$ß¤<>#&@{}<;>*",
		`¬˜ ˆ ° ˋ ´   Ω§E®Ŧ¥↑íØÞ˚ˉÄẞÐªŊĦÍ&Ł¢ẞ˘><>©‚‘’º×÷˙`,
	},
	"si": {
		` 1234567890'+qwertzuiopšđasdfghjklčćž<yxcvbnm,.-`,
		` !"#$%&/()=?*QWERTZUIOPŠĐASDFGHJKLČĆŽ>YXCVBNM;:_`,
		`¬˜ˇˆ˘˚˛ˋ˙ˊ˝¨¸\|€¶ŧ←↓→øþ÷×æ„“[]ħ łłˊß¤|‘’¢@{}§<>—`,
		"¬~ ^ ° ` '   ΩŁ€®Ŧ¥↑ıØÞ˚ˉÆ»«ªŊĦ &Ł˝ˇ˘¦»«©`'}º×÷–",
	},
	"hr": {
		"`1234567890'+qwertzuiopšđasdfghjklčćž<yxcvbnm,.-",
		`~!"#$%&/()=?*QWERTZUIOPŠĐASDFGHJKLČĆŽ>YXCVBNM;:_`,
		"¬~ˇ^˘°˛`˙ˊ˝¨¸\\|€¶ŧ←↓→øþ÷×æ„”[]ħ łłˊß¤|‘’¢@{}§<>",
		"¬˜ ˆ ˚ ˋ '   ΩŁ€®Ŧ¥↑ıØÞ˚ˉÆ»«ªŊĦ &Ł˝ˇ˘¦»«©`'}º×÷˙",
	},
	"ro": {
		"`1234567890-=qwertyuiop[]asdfghjkl;'\\\\zxcvbnm,./",
		`~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"||ZXCVBNM<>?`,
		` ˜ˇˆ˘˚˛ˋ˙ˊ˝¨¸âß€ ț  î §„”ășđ     ł   |  ©    «»`,
		`           –±Âẞ  Ț  Î    ĂȘĐ     Ł   ¦`,
	},
	"ee": {
		`ˇ1234567890+ˊqwertyuiopüõasdfghjklöä'<zxcvbnm,.-`,
		`˜!"#¤%&/()=?ˋQWERTYUIOPÜÕASDFGHJKLÖÄ*>ZXCVBNM;:_`,
		"¬¹@£$½¬{[]}\\`@ſ€¶ŧ←↓→øþ¨§æšðđŋħ ĸłˊ^½|ž»¢„“”µ<>|",
		`¬¡⅛£$⅜⅝⅞™±°¿'Ω§¢®Ŧ¥↑ıØÞ˚ˉÆŠÐªŊĦ &Ł˝ˇ˘¦Ž>©‚‘’º×÷`,
	},
	"lt": {
		"`ąčęėįšųū„“-žqwertyuiop[]asdfghjkl;'\\–zxcvbnm,./",
		`~ĄČĘĖĮŠŲŪ()_ŽQWERTYUIOP{}ASDFGHJKL:"|€ZXCVBNM<>?`,
		`´1234567890–=@ſ€¶ŧ←↓→øþ¨˜æßðđŋħ ĸłˊˆˋ|«»¢„“”µ•·`,
		`¬!@#$%^&*()¿+Ω§£®Ŧ¥↑ıØÞ˚ˉÆẞÐªŊĦ &Ł˝ˇ˘¦<>©‚‘’º×÷˙`,
	},
	"lv": {
		"`1234567890-=qwertyuiop[]asdfghjkl;'\\<zxcvbnm,./",
		`~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"|>ZXCVBNM<>?`,
		"´¹²³€½¾{[]}\\–qwēŗtyūīōp«»āšdfģhjķļ;“`|žxčvbņm•·/",
		`~¡⅛£¢⅜⅝⅞™±°¿—QWĒŖTYŪĪŌP“”ĀŠDFĢHJĶĻ:„ ¦ŽXČVBŅM×÷`,
	},
	"tr": {
		`"1234567890*-qwertyuıopğüasdfghjklşi,<zxcvbnmöç.`,
		`é!'^+%&/()=?_QWERTYUIOPĞÜASDFGHJKLŞİ;>ZXCVBNMÖÇ:`,
		"<>£#$½¾{[]}\\|@ €¶₺←ûîô ¨~âß ª     ´'`|«»¢„“”µ×·˙",
		`°¡²³¼⅜   ±°¿ Ω  ® ¥ÛÎÔ ˚ˉÂ        ˊˇˋ¦<>©‚‘’º ÷˙`,
	},
}
