"""Leagues and teams as the simulated venues name them: exchange codes and places, odds-feed names.

The exchange writes a place, with a letter where two clubs share it ("Los Angeles R"); the odds feed writes
the full club name. Codes are the exchange's own: JAC, LAR, WAS, AZ, CWS, two letters for some hockey clubs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from shared.clock import HOUR, MINUTE
from shared.ids import as_uuid, digest


class Scoring(Enum):
    """How a final score is drawn: a normal margin and total, or two Poisson counts."""

    NORMAL = "normal"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True)
class Team:
    """One club. ``place`` is the exchange's label, ``name`` the odds feed's."""

    league: str
    code: str
    place: str
    name: str

    @property
    def id(self) -> str:
        """Stable id, the value of ``custom_strike`` (invented: a digest in UUID form)."""
        return as_uuid(digest("team", self.league, self.code))

    @property
    def club(self) -> str:
        """The club form some contract texts use, e.g. ``JAC Jaguars``."""
        return f"{self.code} {self.name.rsplit(' ', 1)[-1]}"


@dataclass(frozen=True, slots=True)
class League:
    """What the venues say about a league, and how its games are scored.

    ``scale`` and ``base``: for NORMAL the standard deviations and typical values of (margin, total) in
    points; for POISSON ``base`` holds the expected goals or runs of (home, away).
    """

    key: str
    sport_key: str
    sport_title: str
    group: str
    tag: str
    competition: str
    contest: str
    milestone_type: str
    strike_key: str
    unit: str
    scoring: Scoring
    base: tuple[float, float]
    scale: tuple[float, float]
    shard: int
    length: int
    closes_after: int
    expires_after: int
    timer_s: int
    source: str
    teams: tuple[Team, ...]
    three_way: bool = False
    home_first: bool = False
    timed_ticker: bool = False
    tie_share: float = 0.0


def _teams(league: str, text: str) -> tuple[Team, ...]:
    rows = (line.split("|") for line in text.strip().splitlines())
    return tuple(Team(league, code, place, name) for code, place, name in rows)


_NFL = """
ARI|Arizona|Arizona Cardinals
ATL|Atlanta|Atlanta Falcons
BAL|Baltimore|Baltimore Ravens
BUF|Buffalo|Buffalo Bills
CAR|Carolina|Carolina Panthers
CHI|Chicago|Chicago Bears
CIN|Cincinnati|Cincinnati Bengals
CLE|Cleveland|Cleveland Browns
DAL|Dallas|Dallas Cowboys
DEN|Denver|Denver Broncos
DET|Detroit|Detroit Lions
GB|Green Bay|Green Bay Packers
HOU|Houston|Houston Texans
IND|Indianapolis|Indianapolis Colts
JAC|Jacksonville|Jacksonville Jaguars
KC|Kansas City|Kansas City Chiefs
LAC|Los Angeles C|Los Angeles Chargers
LAR|Los Angeles R|Los Angeles Rams
LV|Las Vegas|Las Vegas Raiders
MIA|Miami|Miami Dolphins
MIN|Minnesota|Minnesota Vikings
NE|New England|New England Patriots
NO|New Orleans|New Orleans Saints
NYG|New York G|New York Giants
NYJ|New York J|New York Jets
PHI|Philadelphia|Philadelphia Eagles
PIT|Pittsburgh|Pittsburgh Steelers
SEA|Seattle|Seattle Seahawks
SF|San Francisco|San Francisco 49ers
TB|Tampa Bay|Tampa Bay Buccaneers
TEN|Tennessee|Tennessee Titans
WAS|Washington|Washington Commanders
"""

_NBA = """
ATL|Atlanta|Atlanta Hawks
BKN|Brooklyn|Brooklyn Nets
BOS|Boston|Boston Celtics
CHA|Charlotte|Charlotte Hornets
CHI|Chicago|Chicago Bulls
CLE|Cleveland|Cleveland Cavaliers
DAL|Dallas|Dallas Mavericks
DEN|Denver|Denver Nuggets
DET|Detroit|Detroit Pistons
GSW|Golden State|Golden State Warriors
HOU|Houston|Houston Rockets
IND|Indiana|Indiana Pacers
LAC|Los Angeles C|Los Angeles Clippers
LAL|Los Angeles L|Los Angeles Lakers
MEM|Memphis|Memphis Grizzlies
MIA|Miami|Miami Heat
MIL|Milwaukee|Milwaukee Bucks
MIN|Minnesota|Minnesota Timberwolves
NOP|New Orleans|New Orleans Pelicans
NYK|New York|New York Knicks
OKC|Oklahoma City|Oklahoma City Thunder
ORL|Orlando|Orlando Magic
PHI|Philadelphia|Philadelphia 76ers
PHX|Phoenix|Phoenix Suns
POR|Portland|Portland Trail Blazers
SAC|Sacramento|Sacramento Kings
SAS|San Antonio|San Antonio Spurs
TOR|Toronto|Toronto Raptors
UTA|Utah|Utah Jazz
WAS|Washington|Washington Wizards
"""

_MLB = """
ATH|A's|Athletics
ATL|Atlanta|Atlanta Braves
AZ|Arizona|Arizona Diamondbacks
BAL|Baltimore|Baltimore Orioles
BOS|Boston|Boston Red Sox
CHC|Chicago C|Chicago Cubs
CIN|Cincinnati|Cincinnati Reds
CLE|Cleveland|Cleveland Guardians
COL|Colorado|Colorado Rockies
CWS|Chicago WS|Chicago White Sox
DET|Detroit|Detroit Tigers
HOU|Houston|Houston Astros
KC|Kansas City|Kansas City Royals
LAA|Los Angeles A|Los Angeles Angels
LAD|Los Angeles D|Los Angeles Dodgers
MIA|Miami|Miami Marlins
MIL|Milwaukee|Milwaukee Brewers
MIN|Minnesota|Minnesota Twins
NYM|New York M|New York Mets
NYY|New York Y|New York Yankees
PHI|Philadelphia|Philadelphia Phillies
PIT|Pittsburgh|Pittsburgh Pirates
SD|San Diego|San Diego Padres
SEA|Seattle|Seattle Mariners
SF|San Francisco|San Francisco Giants
STL|St. Louis|St. Louis Cardinals
TB|Tampa Bay|Tampa Bay Rays
TEX|Texas|Texas Rangers
TOR|Toronto|Toronto Blue Jays
WSH|Washington|Washington Nationals
"""

_NHL = """
ANA|Anaheim|Anaheim Ducks
BOS|Boston|Boston Bruins
BUF|Buffalo|Buffalo Sabres
CAR|Carolina|Carolina Hurricanes
CBJ|Columbus|Columbus Blue Jackets
CGY|Calgary|Calgary Flames
CHI|Chicago|Chicago Blackhawks
COL|Colorado|Colorado Avalanche
DAL|Dallas|Dallas Stars
DET|Detroit|Detroit Red Wings
EDM|Edmonton|Edmonton Oilers
FLA|Florida|Florida Panthers
LA|Los Angeles|Los Angeles Kings
MIN|Minnesota|Minnesota Wild
NJ|New Jersey|New Jersey Devils
NSH|Nashville|Nashville Predators
NYI|New York I|New York Islanders
NYR|New York R|New York Rangers
OTT|Ottawa|Ottawa Senators
PHI|Philadelphia|Philadelphia Flyers
PIT|Pittsburgh|Pittsburgh Penguins
SEA|Seattle|Seattle Kraken
SJ|San Jose|San Jose Sharks
TB|Tampa Bay|Tampa Bay Lightning
TOR|Toronto|Toronto Maple Leafs
VAN|Vancouver|Vancouver Canucks
VGK|Vegas|Vegas Golden Knights
WPG|Winnipeg|Winnipeg Jets
WSH|Washington|Washington Capitals
"""

_NCAAF = """
CLEM|Clemson|Clemson Tigers
FRES|Fresno St.|Fresno State Bulldogs
FSU|Florida St.|Florida State Seminoles
HAW|Hawai'i|Hawaii Rainbow Warriors
IOWA|Iowa|Iowa Hawkeyes
LSU|LSU|LSU Tigers
LT|Louisiana Tech|Louisiana Tech Bulldogs
MICH|Michigan|Michigan Wolverines
MISS|Ole Miss|Ole Miss Rebels
MSU|Michigan St.|Michigan State Spartans
ND|Notre Dame|Notre Dame Fighting Irish
OSU|Ohio St.|Ohio State Buckeyes
PITT|Pittsburgh|Pittsburgh Panthers
PSU|Penn St.|Penn State Nittany Lions
SYR|Syracuse|Syracuse Orange
TEX|Texas|Texas Longhorns
ULL|Louisiana|Louisiana Ragin Cajuns
USC|USC|USC Trojans
"""

_EPL = """
ARS|Arsenal|Arsenal
AVL|Aston Villa|Aston Villa
BRE|Brentford|Brentford
BRI|Brighton|Brighton and Hove Albion
CFC|Chelsea|Chelsea
CRY|Crystal Palace|Crystal Palace
EVE|Everton|Everton
FUL|Fulham|Fulham
LFC|Liverpool|Liverpool
MCI|Manchester City|Manchester City
MUN|Manchester United|Manchester United
NEW|Newcastle|Newcastle United
NFO|Nottingham|Nottingham Forest
TOT|Tottenham|Tottenham Hotspur
"""

LEAGUES: tuple[League, ...] = (
    League(
        key="NFL", sport_key="americanfootball_nfl", sport_title="NFL", group="American Football",
        tag="Football", competition="Pro Football", contest="Pro Football game",
        milestone_type="football_game", strike_key="football_team", unit="points",
        scoring=Scoring.NORMAL, base=(1.5, 45.0), scale=(13.0, 13.0), shard=0, length=190 * MINUTE,
        closes_after=48 * HOUR, expires_after=6 * HOUR, timer_s=60, source="https://www.nfl.com/",
        teams=_teams("NFL", _NFL), tie_share=0.05,
    ),
    League(
        key="NBA", sport_key="basketball_nba", sport_title="NBA", group="Basketball",
        tag="Basketball", competition="Pro Basketball (M)", contest="Pro Basketball game",
        milestone_type="basketball_game", strike_key="basketball_team", unit="points",
        scoring=Scoring.NORMAL, base=(2.0, 226.0), scale=(12.5, 18.0), shard=3, length=150 * MINUTE,
        closes_after=48 * HOUR, expires_after=3 * HOUR, timer_s=60, source="https://www.nba.com",
        teams=_teams("NBA", _NBA),
    ),
    League(
        key="MLB", sport_key="baseball_mlb", sport_title="MLB", group="Baseball",
        tag="Baseball", competition="Pro Baseball", contest="professional baseball game",
        milestone_type="baseball_game", strike_key="baseball_team", unit="runs",
        scoring=Scoring.POISSON, base=(4.5, 4.3), scale=(0.12, 0.12), shard=3, length=170 * MINUTE,
        closes_after=72 * HOUR, expires_after=3 * HOUR, timer_s=120, source="https://www.mlb.com/",
        teams=_teams("MLB", _MLB), timed_ticker=True,
    ),
    League(
        key="NHL", sport_key="icehockey_nhl", sport_title="NHL", group="Ice Hockey",
        tag="Hockey", competition="Pro Hockey", contest="NHL game",
        milestone_type="hockey_match", strike_key="hockey_team", unit="goals",
        scoring=Scoring.POISSON, base=(3.1, 2.9), scale=(0.12, 0.12), shard=0, length=155 * MINUTE,
        closes_after=48 * HOUR, expires_after=3 * HOUR, timer_s=60, source="https://www.nhl.com",
        teams=_teams("NHL", _NHL),
    ),
    League(
        key="NCAAF", sport_key="americanfootball_ncaaf", sport_title="NCAAF", group="American Football",
        tag="Football", competition="NCAA Football", contest="college football game",
        milestone_type="football_game", strike_key="football_team", unit="points",
        scoring=Scoring.NORMAL, base=(3.0, 54.0), scale=(16.0, 16.0), shard=0, length=205 * MINUTE,
        closes_after=48 * HOUR, expires_after=3 * HOUR, timer_s=60,
        source="https://www.ncaa.com/sports/football/fbs", teams=_teams("NCAAF", _NCAAF),
    ),
    League(
        key="EPL", sport_key="soccer_epl", sport_title="EPL", group="Soccer",
        tag="Soccer", competition="EPL", contest="professional EPL soccer game",
        milestone_type="soccer_match", strike_key="soccer_team", unit="goals",
        scoring=Scoring.POISSON, base=(1.55, 1.25), scale=(0.15, 0.15), shard=0, length=115 * MINUTE,
        closes_after=14 * 24 * HOUR, expires_after=3 * HOUR, timer_s=60,
        source="https://www.premierleague.com", teams=_teams("EPL", _EPL),
        three_way=True, home_first=True,
    ),
)  # fmt: skip

BY_KEY: dict[str, League] = {league.key: league for league in LEAGUES}
