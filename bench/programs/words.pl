# Hashes of arrays of words; run with PERL_HASH_SEED=0.
use strict;
my (%by, %seen);
while (<>) {
	my @f = split /\t/;
	push @{ $by{$_} }, $f[0] for split /,/, $f[3];
	$seen{$_}++ for split / /, $f[4];
	delete $by{$f[3]} if $f[0] % 7 == 0;
}
my $out = join "\n", map { "$_ " . scalar(@{ $by{$_} }) } sort keys %by;
print $out, "\n", join(" ", map { "$_=$seen{$_}" } sort keys %seen), "\n";
