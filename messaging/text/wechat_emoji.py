"""WeChat's own emoji. Phones send them as codes in brackets, in Chinese or English.

The codes are those that WeChat's clients insert, each with the closest Unicode emoji.
"""

_FACES = """
微笑 Smile 🙂|撇嘴 Grimace 😒|色 Drool 😍|发呆 Scowl 😳|得意 CoolGuy 😎|流泪 Sob 😭|害羞 Shy ☺️
闭嘴 Silent 🤐|睡 Sleep 😴|大哭 Cry 😢|尴尬 Awkward 😅|发怒 Angry 😡|调皮 Tongue 😜|呲牙 Grin 😁
惊讶 Surprise 😮|难过 Frown 🙁|囧 Blush 😖|抓狂 Scream 😫|吐 Puke 🤮|偷笑 Chuckle 🤭|愉快 Joyful 😊
白眼 Slight 🙄|傲慢 Smug 😤|困 Drowsy 😪|惊恐 Panic 😱|流汗 Sweat 😓|憨笑 Laugh 😄|悠闲 Loafer 😌
奋斗 Determined 💪|咒骂 Scold 🤬|疑问 Shocked ❓|嘘 Shhh 🤫|晕 Dizzy 😵|衰 Toasted 😞|骷髅 Skull 💀
敲打 Hammer 🔨|再见 Wave 👋|擦汗 Speechless 😥|抠鼻 NosePick 👃|鼓掌 Clap 👏|坏笑 Trick 😏
哈欠 Yawn 🥱|委屈 Shrunken 🥺|快哭了 TearingUp 🥹|阴险 Sly 😈|亲亲 Kiss 😘|可怜 Whimper 🥺
菜刀 Cleaver 🔪|西瓜 Watermelon 🍉|啤酒 Beer 🍺|咖啡 Coffee ☕|饭 Rice 🍚|猪头 Pig 🐷|玫瑰 Rose 🌹
凋谢 Wilt 🥀|嘴唇 Lips 💋|爱心 Heart ❤️|心碎 BrokenHeart 💔|蛋糕 Cake 🎂|闪电 Lightning ⚡
炸弹 Bomb 💣|刀 Dagger 🗡️|足球 Soccer ⚽|篮球 Basketball 🏀|乒乓 PingPong 🏓|瓢虫 Ladybug 🐞
便便 Poop 💩|月亮 Moon 🌙|太阳 Sun ☀️|礼物 Gift 🎁|拥抱 Hug 🤗|强 ThumbsUp 👍|弱 ThumbsDown 👎
握手 Shake 🤝|胜利 Peace ✌️|抱拳 Salute 🙏|勾引 Beckon 👆|拳头 Fist ✊|差劲 Pinky 👎|爱你 RockOn 🤟
NO Nuh-uh 🙅|OK OK 👌|爱情 InLove 💑|飞吻 Blowkiss 😘|跳跳 Waddle 💃|发抖 Tremble 🥶|怄火 Aaagh! 😡
转圈 Twirl 💃|磕头 Kotow 🙇|投降 Surrender 🏳️|激动 Hooray 🎉|献吻 Smooch 😗|嘿哈 Hey 🙌
捂脸 Facepalm 🤦|奸笑 Smirk 😏|机智 Smart 🤓|皱眉 Concerned 😟|耶 Yeah! ✌️|红包 Packet 🧧|鸡 Chick 🐥
蜡烛 Candle 🕯️|吃瓜 Onlooker 🍉|加油 GoForIt 💪|汗 Sweats 😓|天啊 OMG 😱|Emm Emm 🤔
社会社会 Respect 🙌|旺柴 Doge 🐶|好的 NoProb 👌|打脸 MyBad 🤕|加油加油 KeepFighting 💪|哇 Wow 🤩
翻白眼 Boring 🙄|666 Awesome 🤙|让我看看 LetMeSee 🫣|叹气 Sigh 😮‍💨|苦涩 Hurt 🥲|裂开 Broken 🫠
福 Blessing 🧧|发 Wealth 🤑|庆祝 Party 🥳|烟花 Fireworks 🎆|爆竹 Firecracker 🧨|生病 Sick 😷
破涕为笑 Lol 😂|脸红 Flushed 😳|恐惧 Terror 😨|失望 LetDown 😔|无语 Duh 😑|合十 Worship 🙏
笑脸 Happy 😃
"""

EMOJI: dict[str, str] = {}
"""“[微笑]” and “[Smile]” → 🙂."""
for _face in _FACES.replace("\n", "|").split("|"):
    if _face:
        _chinese, _english, _character = _face.split(" ")
        EMOJI[f"[{_chinese}]"] = EMOJI[f"[{_english}]"] = _character
