#!/usr/bin/perl
# Regular expressions, closures, sorting, processes, signals, sockets, big numbers.
use strict;
use warnings;
use POSIX qw(:sys_wait_h floor);
use Socket;
$| = 1;
my $text = join ' ', map { "word$_-" . ($_ * 37 % 101) } 1 .. 2000;
my $count = () = $text =~ /word(\d+)-\1/g;
my %seen;
$seen{$1}++ while $text =~ /-(\d+)/g;
print "$count ", scalar(keys %seen), "\n";
my @sorted = sort { $seen{$b} <=> $seen{$a} || $a <=> $b } keys %seen;
print "@sorted[0..4]\n";
(my $changed = $text) =~ s/(\d+)-(\d+)/$2+$1/ge;
print substr($changed, 0, 40), " ", length($changed), "\n";
sub counter { my $n = shift; return sub { return $n++ } }
my $next = counter(5);
$next->() for 1 .. 1000;
print $next->(), "\n";
my ($caught, $alarms) = (0, 0);
$SIG{USR1} = sub { $caught++ };
kill USR1 => $$ for 1 .. 50;
print "caught $caught\n";
eval { local $SIG{ALRM} = sub { die "alarm\n" }; alarm 1; 1 while 1; };
print "died of $@";
my @children;
for my $i (1 .. 8) {
  my $pid = fork();
  if ($pid == 0) { my $x = 0; $x += $_ for 1 .. 1000 * $i; exit $x % 200; }
  push @children, $pid;
}
print join(',', map { waitpid($_, 0); $? >> 8 } @children), "\n";
pipe(my $read, my $write);
if (fork() == 0) { close $read; print $write "through a pipe\n"; exit 0 }
close $write;
print scalar <$read>;
wait;
socketpair(my $left, my $right, AF_UNIX, SOCK_STREAM, PF_UNSPEC);
syswrite $left, "socket";
sysread $right, my $buffer, 100;
print "$buffer\n";
print `echo from a shell; exit 7`, $? >> 8, "\n";
printf "%.10f %e %g %s\n", atan2(1, 1) * 4, 12345.678, 1e21, 2**53 + 1;
print join(',', unpack 'N n C a3', pack 'N n C a3', 1, 2, 3, 'abc'), "\n";
my $sum = 0;
$sum = ($sum * 33 + ord) % 4294967291 for split //, $text;
print "$sum\n";
print sprintf('%vd', '1.22.333'), ' ', floor(-3.5), ' ', join('', reverse 'a' .. 'f'), "\n";
