package sandbox

// Names are put together of these. The stems are made up; no company of such a
// name is meant.

// A stem is the made-up part of a name and what it looks like in an address.
type stem struct{ name, slug string }

var japaneseStems = []stem{
	{"月守", "tsukimori"},
	{"灯ノ川", "hinokawa"},
	{"風待", "kazamachi"},
	{"澄ノ瀬", "suminose"},
	{"鷹見沢原", "takamisawara"},
	{"蒼ノ木", "aonoki"},
	{"霧生野", "kiryuno"},
	{"朝凪堂", "asanagido"},
	{"白鷺ヶ淵", "shirasagi"},
	{"結ノ庭", "yuinoniwa"},
	{"遠雷舎", "enraisha"},
	{"星詠", "hoshiyomi"},
	{"ソラノネ", "soranone"},
	{"ミナヅル", "minazuru"},
	{"カゼノワ", "kazenowa"},
	{"トキハナビ", "tokihanabi"},
	{"ツムギハラ", "tsumugihara"},
	{"アマネリア", "amaneria"},
	{"ヒナタベ", "hinatabe"},
	{"ユキシロナ", "yukishirona"},
	{"こもれび舎", "komorebisha"},
	{"みずのもり", "mizunomori"},
	{"はるかぜ工房", "harukaze"},
	{"ゆらぎ", "yuragi"},
	{"ＡＺＵＬＩＡ", "azulia"},
	{"ＫＯＮＯＨＡＲＡ", "konohara"},
	{"ﾎｼﾉｶﾜ", "hoshinokawa"},
	{"ﾅｷﾞｻﾜﾗ", "nagisawara"},
	{"Ｎｏｒｉｄａ", "norida"},
	{"クラウド・ポルテ", "porte"},
	{"ダイヴェルク", "daiwerk"},
	{"パピヨーラ", "papiyora"},
}

var japaneseTrades = []stem{
	{"製作所", "mfg"},
	{"物流", "logi"},
	{"食品", "foods"},
	{"電機", "denki"},
	{"商事", "shoji"},
	{"システムズ", "sys"},
	{"製薬", "pharma"},
	{"建設", "kensetsu"},
	{"テクノロジー", "tech"},
	{"出版", "books"},
	{"不動産", "estate"},
	{"海運", "kaiun"},
	{"化学", "chem"},
	{"印刷", "print"},
	{"ホールディングス", "hd"},
	{"ゲームス", "games"},
	{"メディア", "media"},
	{"観光", "kanko"},
	{"農園", "farm"},
	{"総合研究所", "lab"},
}

var englishStems = []stem{
	{"Globex", "globex"},
	{"Northfenwick", "northfenwick"},
	{"Brambleway", "brambleway"},
	{"Quillmarsh", "quillmarsh"},
	{"Tessarine", "tessarine"},
	{"Halvorin", "halvorin"},
	{"Okanuva", "okanuva"},
	{"Veldtara", "veldtara"},
	{"Pinecrag", "pinecrag"},
	{"Lumisette", "lumisette"},
	{"Ostravane", "ostravane"},
	{"Copperlark", "copperlark"},
	{"Zephyrine & Sons", "zephyrine"},
	{"Møllebjerg", "mollebjerg"},
	{"O'Harrowgate", "oharrowgate"},
	{"Initrova", "initrova"},
}

var englishTrades = []stem{
	{"Logistics K.K.", "logistics"},
	{"Systems Inc.", "systems"},
	{"Foods Co., Ltd.", "foods"},
	{"Robotics GmbH", "robotics"},
	{"Insurance Ltd.", "insurance"},
	{"Studios LLC", "studios"},
	{"Retail Japan K.K.", "retail"},
	{"Analytics Pte. Ltd.", "analytics"},
	{"Shipping Co.", "shipping"},
	{"Energy Partners", "energy"},
}

var branches = []stem{
	{"東京本社", "tokyo"},
	{"大阪支社", "osaka"},
	{"名古屋支店", "nagoya"},
	{"福岡支店", "fukuoka"},
	{"札幌営業所", "sapporo"},
	{"仙台事業所", "sendai"},
	{"情報システム部", "it"},
	{"開発本部", "dev"},
}

// The domains are reserved for examples, so no mail can arrive.
var domains = []string{"example.co.jp", "example.co.jp", "example.com", "example.com", "example.net", "example.org"}

var mailboxes = []string{
	"cloud-admin", "it", "keiri", "infra", "aws-billing", "finops", "johosys", "cost", "dx", "platform",
	"tanaka.yuki", "sato.ken", "suzuki.mei", "takahashi.ryo", "ito.haruka", "watanabe.sho", "kobayashi.nao",
	"m.larsen", "j.okafor", "a.moreau",
}
