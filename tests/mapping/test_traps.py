"""Pairs a careless mapper would accept, and their honest neighbours."""

from __future__ import annotations

import pytest

from shared.messages import MarketListed, OddsEvent
from tests.mapping.build import code, decide, listed, odds, over

MLB, NBA, NFL, NHL, WNBA = (
    "baseball_mlb",
    "basketball_nba",
    "americanfootball_nfl",
    "icehockey_nhl",
    "basketball_wnba",
)
CBB, WCBB, CFB = "basketball_ncaab", "basketball_wncaab", "americanfootball_ncaaf"
ATP, WTA, MMA, BOX = (
    "tennis_atp_miami_open",
    "tennis_wta_miami_open",
    "mma_mixed_martial_arts",
    "boxing_boxing",
)
EPL, LIGA, BUND, UCL = (
    "soccer_epl",
    "soccer_spain_la_liga",
    "soccer_germany_bundesliga",
    "soccer_uefa_champs_league",
)
WC, MLS = "soccer_fifa_world_cup", "soccer_usa_mls"

Case = tuple[str, MarketListed, list[OddsEvent]]

REFUSED: list[Case] = [
    # one city, two teams
    ("lakers for clippers", listed("KXNBAGAME-26JAN10GSWLAC-LAC"),
     [odds(NBA, "Golden State Warriors", "Los Angeles Lakers", "2026-01-11T01:00:00Z")]),
    ("clippers for lakers by title", listed("KXNBAGAME-26JAN10GSWXXX-XXX",
        title="Golden State at Los Angeles L Winner?"),
     [odds(NBA, "Golden State Warriors", "Los Angeles Clippers", "2026-01-11T01:00:00Z")]),
    ("a bare two-team city", listed("KXNBAGAME-26JAN10QQQRRR-QQQ",
        title="Golden State at Los Angeles Winner?"),
     [odds(NBA, "Golden State Warriors", "Los Angeles Lakers", "2026-01-11T01:00:00Z")]),
    ("mets for yankees", listed("KXMLBGAME-26AUG081905BOSNYY-NYY"),
     [odds(MLB, "Boston Red Sox", "New York Mets", "2026-08-08T23:06:00Z")]),
    ("cubs for white sox", listed("KXMLBGAME-26AUG081905BOSCWS-CWS"),
     [odds(MLB, "Boston Red Sox", "Chicago Cubs", "2026-08-08T23:06:00Z")]),
    ("angels for dodgers", listed("KXMLBGAME-26AUG082210SFLAD-LAD"),
     [odds(MLB, "San Francisco Giants", "Los Angeles Angels", "2026-08-09T02:11:00Z")]),
    ("jets for giants", listed("KXNFLGAME-26SEP13NYGDAL-NYG"),
     [odds(NFL, "New York Jets", "Dallas Cowboys", "2026-09-13T17:00:00Z")]),
    ("rams for chargers", listed("KXNFLGAME-26SEP27LACDEN-LAC"),
     [odds(NFL, "Los Angeles Rams", "Denver Broncos", "2026-09-27T20:05:00Z")]),
    ("rangers for islanders", listed("KXNHLGAME-26OCT08CHINYI-CHI"),
     [odds(NHL, "Chicago Blackhawks", "New York Rangers", "2026-10-08T23:30:00Z")]),
    # one nickname, two leagues
    ("football giants for baseball giants", listed("KXMLBGAME-26SEP131605NYMSF-SF"),
     [odds(NFL, "New York Giants", "San Francisco 49ers", "2026-09-13T20:05:00Z")]),
    ("hockey jets for football jets", listed("KXNFLGAME-26NOV01NYJCHI-NYJ"),
     [odds(NHL, "Winnipeg Jets", "Chicago Blackhawks", "2026-11-01T18:00:00Z")]),
    ("basketball kings for hockey kings", listed("KXNHLGAME-26NOV01LADET-LA"),
     [odds(NBA, "Sacramento Kings", "Detroit Pistons", "2026-11-01T23:00:00Z")]),
    ("football panthers for hockey panthers", listed("KXNHLGAME-26NOV01FLATB-FLA"),
     [odds(NFL, "Carolina Panthers", "Tampa Bay Buccaneers", "2026-11-01T18:00:00Z")]),
    ("baseball rangers for hockey rangers", listed("KXNHLGAME-26OCT01NYRBOS-NYR"),
     [odds(MLB, "Texas Rangers", "Boston Red Sox", "2026-10-01T23:00:00Z")]),
    ("football cardinals for baseball cardinals", listed("KXMLBGAME-26SEP131315STLPIT-STL"),
     [odds(NFL, "Arizona Cardinals", "Pittsburgh Steelers", "2026-09-13T17:15:00Z")]),
    ("one code string in two leagues", listed("KXNHLGAME-26NOV01DETMIN-DET"),
     [odds(NFL, "Detroit Lions", "Minnesota Vikings", "2026-11-01T18:00:00Z")]),
    ("women's league for men's", listed("KXWNBAGAME-26JUN10INDCHI-IND"),
     [odds(NBA, "Indiana Pacers", "Chicago Bulls", "2026-06-10T23:00:00Z")]),
    ("summer league for the league", listed("KXNBASUMMERGAME-26JUL10SACLAC-SAC"),
     [odds(NBA, "Sacramento Kings", "Los Angeles Clippers", "2026-07-10T23:00:00Z")]),
    ("summer league rules in a league series", listed(
        "KXNBAGAME-26JUL10SACLAC-SAC",
        rules_primary="If Sacramento wins the Sacramento vs Los Angeles C Pro Basketball Summer League"
            " game originally"
        " scheduled for Jul 10, 2026, then the market resolves to Yes."),
     [odds(NBA, "Sacramento Kings", "Los Angeles Clippers", "2026-07-10T23:00:00Z")]),
    ("a women's title in a men's series", listed("KXNBAGAME-26JUN10INDCHI-IND",
        title="Indiana vs Chicago women's Pro Basketball game: Indiana wins?"),
     [odds(NBA, "Indiana Pacers", "Chicago Bulls", "2026-06-10T23:00:00Z")]),
    # schools
    ("state for university", listed("KXNCAAMBGAME-26FEB07MICHOSU-MICH"),
     [odds(CBB, "Michigan St Spartans", "Ohio State Buckeyes", "2026-02-07T18:00:00Z")]),
    ("miami of ohio for miami of florida", listed("KXNCAAFGAME-26SEP05MIAND-MIA",
        title="Miami (FL) at Notre Dame Winner?"),
     [odds(CFB, "Miami (OH) RedHawks", "Notre Dame Fighting Irish", "2026-09-05T23:00:00Z")]),
    ("plain miami", listed("KXNCAAFGAME-26SEP05QQND-ND", title="Miami at Notre Dame Winner?"),
     [odds(CFB, "Miami Hurricanes", "Notre Dame Fighting Irish", "2026-09-05T23:00:00Z")]),
    ("south carolina for southern california", listed("KXNCAAFGAME-26SEP05USCUGA-USC",
        title="USC at Georgia Winner?"),
     [odds(CFB, "South Carolina Gamecocks", "Georgia Bulldogs", "2026-09-05T23:00:00Z")]),
    ("mississippi state for ole miss", listed("KXNCAAMBGAME-26FEB07MISSTEX-TEX"),
     [odds(CBB, "Mississippi St Bulldogs", "Texas Longhorns", "2026-02-07T18:00:00Z")]),
    ("women's game of the same schools", listed("KXNCAAMBGAME-26FEB21NAVYARMY-NAVY"),
     [odds(WCBB, "Navy Midshipmen", "Army Knights", "2026-02-21T16:00:00Z")]),
    ("men's game of the same schools", listed("KXNCAAWBGAME-26FEB21NAVYARMY-NAVY"),
     [odds(CBB, "Navy Midshipmen", "Army Knights", "2026-02-21T16:00:00Z")]),
    ("basketball for football", listed("KXNCAAFGAME-26JAN19MIAIND-MIA"),
     [odds(CBB, "Miami Hurricanes", "Indiana Hoosiers", "2026-01-20T00:30:00Z")]),
    ("washington state for washington", listed("KXNCAAMBGAME-26FEB07WASHUCLA-UCLA"),
     [odds(CBB, "Washington St Cougars", "UCLA Bruins", "2026-02-07T23:00:00Z")]),
    ("upstate for south carolina", listed("KXNCAAMBGAME-26FEB07MIZZSCAR-MIZZ"),
     [odds(CBB, "Missouri Tigers", "South Carolina Upstate Spartans", "2026-02-07T19:00:00Z")]),
    # days, times, doubleheaders
    ("next game of a series", listed("KXMLBGAME-26AUG081905BOSNYY-NYY"),
     [odds(MLB, "Boston Red Sox", "New York Yankees", "2026-08-09T23:06:00Z")]),
    ("UTC day taken for the ticker's", listed("KXNBAGAME-26JAN10GSWLAL-LAL"),
     [odds(NBA, "Golden State Warriors", "Los Angeles Lakers", "2026-01-10T03:00:00Z")]),
    ("other game of a doubleheader by time", listed("KXMLBGAME-26JUL171910TBBOSG2-TB"),
     [odds(MLB, "Tampa Bay Rays", "Boston Red Sox", "2026-07-17T17:36:00Z")]),
    ("doubleheader without a time or number", listed("KXMLBGAME-25JUL17TBBOS-TB"),
     [odds(MLB, "Tampa Bay Rays", "Boston Red Sox", "2025-07-17T17:36:00Z", "one"),
      odds(MLB, "Tampa Bay Rays", "Boston Red Sox", "2025-07-17T23:11:00Z", "two")]),
    ("second game when one is listed", listed("KXMLBGAME-25JUL17TBBOSG2-TB"),
     [odds(MLB, "Tampa Bay Rays", "Boston Red Sox", "2025-07-17T17:36:00Z")]),
    ("numbered games listed an hour apart", listed("KXMLBGAME-25JUL17TBBOSG1-TB"),
     [odds(MLB, "Tampa Bay Rays", "Boston Red Sox", "2025-07-17T17:36:00Z", "one"),
      odds(MLB, "Tampa Bay Rays", "Boston Red Sox", "2025-07-17T18:36:00Z", "two")]),
    ("a start that moved by an hour", listed("KXMLBGAME-26AUG081905BOSNYY-NYY"),
     [odds(MLB, "Boston Red Sox", "New York Yankees", "2026-08-09T00:15:00Z")]),
    ("a stale listing beside the new one", listed("KXMLBGAME-26AUG081905BOSNYY-NYY"),
     [odds(MLB, "Boston Red Sox", "New York Yankees", "2026-08-08T23:06:00Z", "one"),
      odds(MLB, "Boston Red Sox", "New York Yankees", "2026-08-08T23:16:00Z", "two")]),
    ("same game listed under two ids", listed("KXNHLGAME-26OCT08CHINYI-CHI"),
     [odds(NHL, "Chicago Blackhawks", "New York Islanders", "2026-10-08T23:30:00Z", "one"),
      odds(NHL, "Chicago Blackhawks", "New York Islanders", "2026-10-08T23:30:00Z", "two")]),
    ("home and away swapped", listed("KXMLBGAME-26AUG081905BOSNYY-NYY"),
     [odds(MLB, "New York Yankees", "Boston Red Sox", "2026-08-08T23:06:00Z")]),
    ("home and away swapped in a league without times", listed("KXNHLGAME-26OCT08CHINYI-CHI"),
     [odds(NHL, "New York Islanders", "Chicago Blackhawks", "2026-10-08T23:30:00Z")]),
    ("a school's title that says at", listed("KXNCAAMBGAME-26FEB21ISUBYU-BYU",
        title="Iowa St. at BYU Winner?"),
     [odds(CBB, "BYU Cougars", "Iowa State Cyclones", "2026-02-21T22:00:00Z")]),
    ("rules about another day", listed(
        "KXNFLGAME-26SEP28PHICHI-PHI",
        rules_primary="If Philadelphia wins the Philadelphia vs Chicago Pro Football game originally"
            " scheduled for"
        " Sep 27, 2026, then the market resolves to Yes."),
     [odds(NFL, "Philadelphia Eagles", "Chicago Bears", "2026-09-29T00:15:00Z")]),
    ("rules about another time", listed(
        "KXMLBGAME-26SEP182215SFLAD-SF",
        rules_primary="If San Francisco wins the San Francisco vs Los Angeles D professional baseball"
            " game originally"
        " scheduled for Sep 18, 2026 at 1:15 PM EDT, then the market resolves to Yes."),
     [odds(MLB, "San Francisco Giants", "Los Angeles Dodgers", "2026-09-19T02:16:00Z")]),
    ("a text that contradicts the ticker", listed("KXNFLGAME-26SEP28PHICHI-PHI",
        title="Dallas at Chicago Winner?"),
     [odds(NFL, "Philadelphia Eagles", "Chicago Bears", "2026-09-29T00:15:00Z"),
      odds(NFL, "Dallas Cowboys", "Chicago Bears", "2026-09-28T17:00:00Z", "e2")]),
    ("a stable id of a third team", listed(
        "KXNFLGAME-26SEP20JACDEN-DEN",
            custom_strike={"football_team": "f7c2cd06-61bf-469e-984f-3ef56cb8f3d7"}),
     [odds(NFL, "Jacksonville Jaguars", "Denver Broncos", "2026-09-20T20:05:00Z")]),
    # people
    ("same player, other round", listed("KXATPMATCH-26AUG01BERNAV-NAV"),
     [odds("tennis_atp_canadian_open", "Mariano Navone", "Valentin Vacherot", "2026-08-02T15:00:00Z")]),
    ("two players of one surname", listed("KXATPMATCH-26AUG01CERSIN-SIN",
        title="Cerundolo vs Sinner Winner?"),
     [odds(ATP, "Juan Manuel Cerundolo", "Jannik Sinner", "2026-08-01T15:00:00Z", "one"),
      odds(ATP, "Francisco Cerundolo", "Jannik Sinner", "2026-08-02T15:00:00Z", "two")]),
    ("another first name", listed(
        "KXATPMATCH-26AUG01CERSIN-CER",
            title="Will Juan Manuel Cerundolo win the Cerundolo vs Sinner: Final match?",
        yes_sub_title="Juan Manuel Cerundolo"),
     [odds(ATP, "Francisco Cerundolo", "Jannik Sinner", "2026-08-01T15:00:00Z")]),
    ("women's tour for men's", listed("KXATPMATCH-26AUG01WILSIN-WIL", title="Williams vs Sinner Winner?"),
     [odds(WTA, "Venus Williams", "Jasmine Sinner", "2026-08-01T15:00:00Z")]),
    ("doubles for singles", listed("KXATPMATCH-26AUG01CERSIN-CER", title="Cerundolo vs Sinner Winner?"),
     [odds(ATP, "Cerundolo / Etcheverry", "Sinner / Sonego", "2026-08-01T15:00:00Z")]),
    ("a match a week later", listed("KXATPMATCH-26AUG01ALCSIN-SIN", title="Alcaraz vs Sinner Winner?"),
     [odds(ATP, "Carlos Alcaraz", "Jannik Sinner", "2026-08-05T15:00:00Z")]),
    ("challenger for tour", listed("KXATPCHALLENGERMATCH-26AUG01ALCSIN-SIN",
        title="Alcaraz vs Sinner Winner?"),
     [odds(ATP, "Carlos Alcaraz", "Jannik Sinner", "2026-08-01T15:00:00Z")]),
    ("codes without a place to cut", listed("KXATPGTOTAL-26AUG01ALCASIN-23"),
     [odds(ATP, "Carlos Alcaraz", "Jannik Sinner", "2026-08-01T15:00:00Z")]),
    ("a fighter's other bout", listed("KXUFCFIGHT-26AUG08GAMSAL-GAM"),
     [odds(MMA, "Mateusz Gamrot", "Justin Gaethje", "2026-08-09T02:00:00Z")]),
    ("boxing for mixed martial arts", listed("KXUFCFIGHT-26AUG08GAMSAL-GAM"),
     [odds(BOX, "Mateusz Gamrot", "Quillan Salkilld", "2026-08-09T02:00:00Z")]),
    # soccer
    ("city for united", listed("KXEPLGAME-26SEP12MCIARS-ARS", title="Manchester City vs Arsenal Winner?"),
     [odds(EPL, "Arsenal", "Manchester United", "2026-09-12T14:00:00Z")]),
    ("reserves", listed("KXBUNDESLIGAGAME-26SEP12VFBBVB-VFB", title="Stuttgart vs Dortmund Winner?"),
     [odds(BUND, "Borussia Dortmund", "VfB Stuttgart II", "2026-09-12T14:00:00Z")]),
    ("under 21", listed("KXWCGAME-26JUN15ESPBEL-ESP", title="Spain vs Belgium Winner?"),
     [odds(WC, "Belgium U21", "Spain U21", "2026-06-15T16:00:00Z")]),
    ("the cup game of the same clubs", listed("KXUCLGAME-26SEP16RMAATM-RMA",
        title="Real Madrid vs Atletico Winner?"),
     [odds(LIGA, "Atlético Madrid", "Real Madrid", "2026-09-16T19:00:00Z")]),
    ("women's national teams", listed("KXWCGAME-26JUN15ESPBEL-ESP", title="Spain vs Belgium Winner?"),
     [odds("soccer_fifa_world_cup_womens", "Belgium", "Spain", "2026-06-15T16:00:00Z")]),
    ("same club, other group game", listed("KXWCGAME-26JUN15ESPCPV-ESP", title="Spain vs Cape Verde Winner?"),
     [odds(WC, "Saudi Arabia", "Spain", "2026-06-15T16:00:00Z")]),
    ("who advances is not who wins", listed("KXWCADVANCE-26JUL11ARGSUI-ARG", title="Argentina advances"),
     [odds(WC, "Switzerland", "Argentina", "2026-07-12T01:00:00Z")]),
    ("a return leg a week later", listed("KXUCLGAME-26SEP16RMABVB-RMA",
        title="Real Madrid vs Dortmund Winner?"),
     [odds(UCL, "Borussia Dortmund", "Real Madrid", "2026-09-23T19:00:00Z")]),
    ("los angeles of two clubs", listed("KXMLSGAME-26JUL16QQQSEA-SEA",
        title="Los Angeles vs Seattle Winner?"),
     [odds(MLS, "Seattle Sounders FC", "Los Angeles FC", "2026-07-17T02:30:00Z")]),
    # not one game
    ("a combination", listed("KXMVENFLSINGLEGAME-S2025CC5DB14448D-D878BA2B1E7"),
     [odds(NFL, "Buffalo Bills", "Houston Texans", "2025-11-21T01:15:00Z")]),
    ("a season", listed("KXNFLWINS-PIT-26-9", event="KXNFLWINS-PIT-26"),
     [odds(NFL, "Pittsburgh Steelers", "Atlanta Falcons", "2026-09-13T17:00:00Z")]),
    ("a mention", listed("KXNBAMENTION-26MAY09OKCLAL-MVP"),
     [odds(NBA, "Oklahoma City Thunder", "Los Angeles Lakers", "2026-05-10T00:30:00Z")]),
    ("esports", listed("KXVALORANTGAME-26AUG061700FUREG-FUR", title="FURIA vs EG Winner?"),
     [odds(MLB, "FURIA", "EG", "2026-08-06T21:00:00Z")]),
    # damaged input
    ("one team twice", listed("KXNFLGAME-26SEP28PHIPHI-PHI", title="Philadelphia at Philadelphia Winner?"),
     [odds(NFL, "Philadelphia Eagles", "Philadelphia Eagles", "2026-09-29T00:15:00Z")]),
    ("an event without a start", listed("KXNFLGAME-26SEP28PHICHI-PHI"),
     [OddsEvent(id="e1", sport_key=NFL, starts_at=None, home="Chicago Bears", away="Philadelphia Eagles")]),
    ("a day that does not exist", listed("KXNFLGAME-26FEB30PHICHI-PHI"),
     [odds(NFL, "Philadelphia Eagles", "Chicago Bears", "2026-03-02T00:15:00Z")]),
    ("an id with two contents", listed("KXNFLGAME-26SEP28PHICHI-PHI"),
     [odds(NFL, "Philadelphia Eagles", "Chicago Bears", "2026-09-29T00:15:00Z"),
      odds(NFL, "Dallas Cowboys", "Chicago Bears", "2026-09-29T00:15:00Z")]),
    ("an unknown code", listed("KXNFLGAME-26SEP28XYZCHI-CHI"),
     [odds(NFL, "Philadelphia Eagles", "Chicago Bears", "2026-09-29T00:15:00Z")]),
    ("no team code at all", listed("KXNFLGAME-26SEP28-PHI"),
     [odds(NFL, "Philadelphia Eagles", "Chicago Bears", "2026-09-29T00:15:00Z")]),
    ("a megabyte of title", listed("KXATPMATCH-26AUG01ALCSIN-SIN", title="Alcaraz vs " * 100_000),
     [odds(ATP, "Carlos Alcaraz", "Janko Tipsarevic", "2026-08-01T15:00:00Z")]),
]  # fmt: skip

MAPPED: list[Case] = [
    ("rules of an unknown template fall back on the title", listed(
        "KXUFCFIGHT-26AUG08GAMSAL-GAM", title="Will Mateusz Gamrot win the Gamrot vs Salkilld fight?",
        rules_primary="If Gamrot is declared the victor by the commission, then the market resolves to Yes."),
     [odds(MMA, "Quillan Salkilld", "Mateusz Gamrot", "2026-08-09T02:00:00Z")]),
    ("late games are the next day in UTC", listed("KXNBAGAME-26JAN10GSWLAL-LAL"),
     [odds(NBA, "Golden State Warriors", "Los Angeles Lakers", "2026-01-11T03:30:00Z")]),
    ("a midnight start listed a minute early", listed("KXNCAAMBGAME-26FEB08UCSDHAW-HAW"),
     [odds(CBB, "UC San Diego Tritons", "Hawai'i Rainbow Warriors", "2026-02-08T04:59:00Z")]),
    ("doubleheader by time", listed("KXMLBGAME-26JUL171910TBBOSG2-TB"),
     [odds(MLB, "Tampa Bay Rays", "Boston Red Sox", "2026-07-17T17:36:00Z", "e0"),
      odds(MLB, "Tampa Bay Rays", "Boston Red Sox", "2026-07-17T23:11:00Z")]),
    ("doubleheader by number", listed("KXMLBGAME-25JUL17TBBOSG2-TB"),
     [odds(MLB, "Tampa Bay Rays", "Boston Red Sox", "2025-07-17T17:36:00Z", "e0"),
      odds(MLB, "Tampa Bay Rays", "Boston Red Sox", "2025-07-17T23:11:00Z")]),
    ("relocated athletics", listed("KXMLBGAME-26AUG082140ATHSEA-ATH", title="A's vs Seattle Winner?"),
     [odds(MLB, "Oakland Athletics", "Seattle Mariners", "2026-08-09T01:41:00Z")]),
    ("utah under an older name", listed("KXNHLGAME-26OCT08UTACOL-UTA", title="Utah at Colorado Winner?"),
     [odds(NHL, "Utah Hockey Club", "Colorado Avalanche", "2026-10-09T01:00:00Z")]),
    ("code and nickname", listed(
        "KXNFLGAME-26SEP20JACDEN-DEN",
        rules_primary="If Denver wins the JAC Jaguars vs DEN Broncos Pro Football game originally"
            " scheduled for"
        " Sep 20, 2026, then the market resolves to Yes."),
     [odds(NFL, "Jacksonville Jaguars", "Denver Broncos", "2026-09-20T20:05:00Z")]),
    ("playoff game number", listed("KXNBAGAME-26JUN13NYKSAS-NYK",
        title="Game 5: New York at San Antonio Winner?"),
     [odds(NBA, "New York Knicks", "San Antonio Spurs", "2026-06-14T00:30:00Z")]),
    ("montreal with an accent", listed("KXNHLGAME-26OCT08MTLTOR-TOR"),
     [odds(NHL, "Montréal Canadiens", "Toronto Maple Leafs", "2026-10-08T23:00:00Z")]),
    ("a school at a neutral site", listed("KXNCAAFGAME-26SEP05USCUGA-USC", title="USC vs Georgia Winner?"),
     [odds(CFB, "Georgia Bulldogs", "USC Trojans", "2026-09-05T23:00:00Z")]),
    ("a nation a day off in the feed", listed("KXWCGAME-26JUN17AUTJOR-TIE",
        title="Austria vs Jordan Winner?"),
     [odds(WC, "Jordan", "Austria", "2026-06-16T04:00:00Z")]),
    ("another spelling of a nation", listed("KXWCGAME-26JUN14AUSTUR-TUR",
        title="Australia vs Turkiye Winner?"),
     [odds(WC, "Turkey", "Australia", "2026-06-14T04:00:00Z")]),
    ("tennis a day later", listed("KXATPMATCH-26AUG01BERNAV-NAV"),
     [odds(ATP, "Mariano Navone", "Matteo Berrettini", "2026-08-02T14:30:00Z")]),
    ("part of a name", listed("KXATPMATCH-26AUG02DUCOCO-OCO"),
     [odds(ATP, "Christopher O'Connell", "James Duckworth", "2026-08-02T16:49:00Z")]),
    ("a second surname left out", listed(
        "KXWTAMATCH-26AUG04SVIBOU-BOU", title="Will Jessica Bouzas win the Svitolina vs Bouzas: Final match?",
        yes_sub_title="Jessica Bouzas"),
     [odds(WTA, "Jessica Bouzas Maneiro", "Elina Svitolina", "2026-08-04T15:00:00Z")]),
    ("an accent in a fighter's name", listed("KXUFCFIGHT-26AUG08BARPRO-PRO",
        title="Barbosa vs Prochazka Winner?"),
     [odds(MMA, "Márcio Barbosa", "Jiří Procházka", "2026-08-09T02:00:00Z")]),
    ("initial and surname codes", listed("KXBOXING-26SEP19FMAYMPAC-FMAY"),
     [odds(BOX, "Manny Pacquiao", "Floyd Mayweather", "2026-09-20T03:00:00Z")]),
    ("a club without its FC", listed("KXEPLGAME-26SEP12TOTNFO-TOT", title="Tottenham vs Nottingham Winner?"),
     [odds(EPL, "Nottingham Forest", "Tottenham Hotspur", "2026-09-12T14:00:00Z")]),
    ("clubs of a league without a table", listed(
        "KXELITESERIENGAME-26AUG09KFUBOG-BOG", title="KFUM Oslo vs Bodoe/Glimt Winner?"),
     [odds("soccer_norway_eliteserien", "Bodoe/Glimt", "KFUM Oslo", "2026-08-09T15:00:00Z")]),
    ("a prop belongs to its game", listed(
        "KXMLBTB-26AUG151310CWSDET-CWSABENINTENDI23-2", event="KXMLBTB-26AUG151310CWSDET"),
     [odds(MLB, "Chicago White Sox", "Detroit Tigers", "2026-08-15T17:11:00Z")]),
    ("a third part of the event ticker", over(
        "KXMLBTB-26AUG151310CWSDET-CWSABENINTENDI23-2", 1.5,
        event="KXMLBTB-26AUG151310CWSDET-CWSABENINTENDI23"),
     [odds(MLB, "Chicago White Sox", "Detroit Tigers", "2026-08-15T17:11:00Z")]),
    ("codes from the sub-title", listed("KXNFLGAME-26SEP27CARCLE-CAR", event_sub_title="CAR vs CLE (Sep 27)"),
     [odds(NFL, "Carolina Panthers", "Cleveland Browns", "2026-09-27T17:00:00Z")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("market", "events"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_trap_is_refused_with_a_reason(market: MarketListed, events: list[OddsEvent]) -> None:
    decision = decide(market, *events)
    assert decision.odds_event_id == ""
    assert decision.certificate is None
    assert decision.reason


@pytest.mark.parametrize(
    ("market", "events"), [case[1:] for case in MAPPED], ids=[case[0] for case in MAPPED]
)
def test_its_honest_neighbour_is_mapped(market: MarketListed, events: list[OddsEvent]) -> None:
    decision = decide(market, *events)
    assert decision.odds_event_id == "e1", decision.reason


def test_there_are_at_least_sixty_traps() -> None:
    assert len(REFUSED) >= 60


def test_a_refusal_says_which_rule_refused() -> None:
    swapped = decide(
        listed("KXMLBGAME-26AUG081905BOSNYY-NYY"),
        odds(MLB, "New York Yankees", "Boston Red Sox", "2026-08-08T23:06:00Z"),
    )
    assert code(swapped) == "orientation"
    moved = decide(
        listed("KXMLBGAME-26AUG081905BOSNYY-NYY"),
        odds(MLB, "Boston Red Sox", "New York Yankees", "2026-08-09T00:15:00Z"),
    )
    assert code(moved) == "other_time"
